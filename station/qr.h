/* A QR code as an SVG text (ISO/IEC 18004, by libqrencode). */
#pragma once

/* One path, four modules of quiet zone, black on white; NULL when the text is too long
 * (transfer full). */
char *qr_svg (const char *text);
