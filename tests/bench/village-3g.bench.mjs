// picture (SSIM of what is shown against what is due) on the link village-3g, beside Chromium and webrtcbin

import { qualityBench } from '../lib/quality-bench.mjs';

await qualityBench('village-3g');
