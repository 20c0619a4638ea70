#define ECG_KIND "dicom"
#include "ecg_fuzz.h"
