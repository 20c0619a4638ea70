#define ECG_KIND "edf"
#include "ecg_fuzz.h"
