/* Tables by which an object says how its grey values are to be shown (PS3.3 §C.11.2.1.1), and the
 * modality's table before them (§C.11.1). */
#pragma once
#include "media/dicom/object.h"

class DcmItem;

enum { VOI_LUTS_MAX = 8 };

/* [{"name"}]: the tables that can be shown, in the object's order. Those whose description is none
 * are left out (to be freed). */
json_t *voi_luts_describe (DcmItem *data, const PictureForm &form);
/* Number n of those: a shade of 0 … 255 for each sample that can be stored, as Frame.grey has them
 * (1 << stored entries). FALSE: there is no such table. */
bool voi_lut_shades (DcmItem *data, const PictureForm &form, unsigned n, std::vector<uint8_t> *ret);
