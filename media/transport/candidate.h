/* Reading and checking of ICE texts of the other side (RFC 8839 §5.1, §5.4). No I/O. */
#pragma once
#include <glib.h>

typedef enum {
  CANDIDATE_HOST,
  CANDIDATE_SERVER_REFLEXIVE,
  CANDIDATE_PEER_REFLEXIVE,
  CANDIDATE_RELAYED,
} CandidateType;

enum { CANDIDATE_MAX_LINE = 512, CANDIDATE_MAX_FOUNDATION = 32 };

/* A candidate that can be tried: UDP, component 1, a numeric address, a priority above 0. */
typedef struct {
  CandidateType type;
  char foundation[CANDIDATE_MAX_FOUNDATION + 1];
  guint32 priority;
  char address[48]; /* numeric, checked */
  guint16 port;
  char ufrag[257]; /* generation, "" when the line does not tell */
} Candidate;

/* line: "candidate:...", with or without "a=". FALSE: malformed, or none that can be tried (TCP,
 * another component, a host name, priority 0, an address that is nobody's). */
gboolean candidate_parse (const char *line, Candidate *ret_candidate);
/* 127.0.0.0/8, ::1, and what maps to them. */
gboolean candidate_is_loopback (const Candidate *candidate);

gboolean candidate_check_ufrag (const char *ufrag); /* 4 to 256 ice-chars */
gboolean candidate_check_pwd (const char *pwd);     /* 22 to 256 ice-chars */
