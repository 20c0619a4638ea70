/* Constants of the feedback format, for twcc_send.c and twcc_recv.c
 * (draft-holmer-rmcat-transport-wide-cc-extensions-01 3.1). */
#pragma once

enum {
  TWCC_HEAD_SIZE = 8,
  TWCC_TICK_US = 250,
  TWCC_REFERENCE_TICKS = 256, /* 64 ms */
  TWCC_REFERENCE_WRAP = 1 << 24,
  TWCC_VECTOR = 0x8000,
  TWCC_VECTOR_2BIT = 0x4000,
  TWCC_VECTOR_BITS = 14,
  TWCC_RUN_MAX = 0x1fff,
};

typedef enum { TWCC_LOST, TWCC_SMALL, TWCC_LARGE, TWCC_RESERVED } TwccStatus;
