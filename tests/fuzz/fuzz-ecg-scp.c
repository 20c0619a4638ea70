#define ECG_KIND "scp"
#include "ecg_fuzz.h"
