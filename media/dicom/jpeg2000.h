/* Frames that are JPEG 2000 codestreams (PS3.5 annex A.4.4), which DCMTK of Debian 12 does not
 * decode: by OpenJPEG, in this confined process. Hostile until shown otherwise: sizes are looked at
 * before anything is decoded. */
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

/* What the codestream must be. */
struct Jpeg2000Form {
  unsigned columns, rows, components;
  unsigned bits; /* of a sample, at most */
};

/* Samples of one component after the other, row by row, each in two's complement where the
 * codestream says that it is signed. FALSE: no codestream, cut off, or of another form. */
bool jpeg2000_decode (const uint8_t *bytes, size_t size, const Jpeg2000Form &form,
                      std::vector<int32_t> *ret);
