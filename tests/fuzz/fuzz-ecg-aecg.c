#define ECG_KIND "aecg"
#include "ecg_fuzz.h"
