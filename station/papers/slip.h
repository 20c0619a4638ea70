/* Slips for a patient who comes by appointment: one with the link as QR code, one with the PIN. Two
 * papers, since who finds or copies one of them must not get in. In Vietnamese; PDF, one page.
 */
#pragma once
#include <glib.h>

typedef struct {
  const char *station, *address, *phone; /* the last two may be NULL */
  const char *patient;                   /* NULL: unknown */
  const char *when;                      /* "08:30 ngày 20/11/2026"; NULL: now */
  const char *link, *pin;                /* exactly one of them; the other NULL */
  const char *created;                   /* "2026-11-20T02:03:12Z" */
} Slip;

/* (transfer full) NULL with error: cairo's word. Any thread. */
GBytes *slip_make (const Slip *slip, GError **error);
