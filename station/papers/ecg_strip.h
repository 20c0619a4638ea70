/* ECG strips on a sheet: 25 mm a second, 10 mm a millivolt, in millimetres that a ruler finds. */
#pragma once
#include "station/case_ecg.h"
#include "station/papers/sheet.h"

/* A strip of each lead: six seconds, on a grid of 1 and 5 mm, with the calibration pulse of 1 mV
 * and 200 ms before it. Samples are as they came, no filter; where nothing was measured there is
 * a gap. A trace higher than the tallest strip (50 mm) is cut, and the strip says so. A lead that
 * is not in volts is named with the words that it has no scale, and is not drawn. */
void ecg_strip (Sheet *sheet, const CaseEcg *ecg);
