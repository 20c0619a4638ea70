/* Between ecgs.c and ecgs_add.c. */
#pragma once
#include "station/ecgs.h"

typedef struct {
  char *name;
  GByteArray *bytes;
} EcgUploadFile;

typedef struct {
  char *id;
  GPtrArray *files; /* EcgUploadFile */
  gsize size;
} EcgUpload;

struct Ecgs {
  Station *station;
  GHashTable *uploads; /* Client → EcgUpload */
};
