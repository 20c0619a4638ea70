// picture (SSIM of what is shown against what is due) on the link bufferbloat, beside Chromium and webrtcbin

import { qualityBench } from '../lib/quality-bench.mjs';

await qualityBench('bufferbloat');
