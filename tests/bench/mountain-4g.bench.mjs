// picture (SSIM of what is shown against what is due) on the link mountain-4g, beside Chromium and webrtcbin

import { qualityBench } from '../lib/quality-bench.mjs';

await qualityBench('mountain-4g');
