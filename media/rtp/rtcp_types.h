/* Numbers of RTCP packet types and formats (IANA "RTP Parameters"); for rtcp_read.c and
 * rtcp_write.c. */
#pragma once

enum {
  RTCP_PT_SR = 200,
  RTCP_PT_RR = 201,
  RTCP_PT_SDES = 202,
  RTCP_PT_BYE = 203,
  RTCP_RTPFB = 205,
  RTCP_PSFB = 206,
};

enum { RTPFB_NACK = 1, RTPFB_TWCC = 15 };
enum { PSFB_PLI = 1, PSFB_FIR = 4, PSFB_AFB = 15 };
enum { SDES_CNAME = 1 };
