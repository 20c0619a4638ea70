/* What is sent of a frame: a lossless form for the viewer, and JPEG for a first look. */
#pragma once
#include "media/dicom/object.h"

/* "nc1": zlib (RFC 1950) of planes of differences (docs/protocol.md). */
bool picture_lossless (const Frame &frame, std::vector<uint8_t> *ret);
/* JPEG of at most size × size pixels, grey by these shades (voi_lut.h), or, where there are none,
 * by the object's window, or all of its range. */
bool picture_small (const Frame &frame, const PictureForm &form, const std::vector<uint8_t> &shades,
                    unsigned size, int quality, std::vector<uint8_t> *ret);
/* A table of shades: zlib of its bytes. */
bool picture_table (const std::vector<uint8_t> &shades, std::vector<uint8_t> *ret);
