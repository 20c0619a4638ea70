/* The station: everything that a running nhipcau holds, and what its parts do together.
 *
 * Main thread throughout. Parts that may be absent (a test, the fuzzer, `check`) are NULL: room
 * and recorder, without which media messages are refused.
 */
#pragma once
#include "station/client.h"
#include "station/config.h"
#include "station/links.h"
#include "station/recording_space.h"
#include "station/consultation.h"
#include "station/users.h"
#include "station/session.h"
#include "certs/identity.h"
#include "records/icd10.h"
#include "records/store.h"

typedef struct Readings Readings;
typedef struct Monitors Monitors;
typedef struct Feeds Feeds;
typedef struct Serial Serial;
typedef struct Local Local;
typedef struct DeviceValues DeviceValues;
typedef struct Ecgs Ecgs;
typedef struct Bluetooth Bluetooth;
typedef struct Waves Waves;
typedef struct Clips Clips;
typedef struct Pictures Pictures;
typedef struct Ptz Ptz;
typedef struct Room Room;
typedef struct Recorder Recorder;
typedef struct Dicom Dicom;
typedef struct Stamping Stamping;
typedef struct Deliveries Deliveries;
typedef struct DiskPolicy DiskPolicy;
typedef struct HoldingKeep HoldingKeep;
typedef struct Providers Providers;
typedef struct Accounts Accounts;
typedef struct Passkeys Passkeys;
typedef struct Calls Calls;
typedef struct Rendezvous Rendezvous;
typedef struct Enrolment Enrolment;
typedef struct Visits Visits;
typedef struct Conference Conference;
typedef struct WhipEndpoint WhipEndpoint;

typedef enum { DISK_GOOD, DISK_LOW, DISK_FULL } DiskLevel;
const char *disk_level_name (DiskLevel level);

struct Station {
  const Config *config; /* the caller's */
  Vault *vault;         /* the caller's */
  Store *store;         /* the caller's */
  Identity *identity;   /* the caller's; NULL in a test: then nothing is signed */
  char *instance;       /* random, another after each start */

  Users *users;
  Providers *providers;
  Accounts *accounts;
  Passkeys *passkeys;
  Sessions *sessions;
  GPtrArray *clients;  /* Client*, every open WebSocket */
  GPtrArray *consults; /* Consult*, unfinished ones */
  Consult *screen;     /* the one on screen; NULL: none */
  Readings *readings;
  Monitors *monitors; /* NULL: not listening (a test) */
  Feeds *feeds;
  Serial *serial;
  DeviceValues *values;
  Local *local;
  Ecgs *ecgs;
  Bluetooth *bluetooth; /* NULL: switched off */
  Waves *waves;
  Links *links;
  Pictures *pictures;
  Clips *clips;
  Ptz *ptz; /* NULL: no media (a test) */
  Room *room;
  Recorder *recorder;
  Dicom *dicom;
  Icd10 *icd10;
  gboolean icd10_failed; /* the file of the configuration could not be read */
  Enrolment *enrolment;  /* NULL: not listening (a test) */
  Stamping *stamping;    /* NULL: no authority is configured */

  gint64 vault_used_us; /* monotonic: when a session last had the vault open */
  Deliveries *deliveries;
  Calls *calls;
  Rendezvous *rendezvous; /* NULL: no broker */
  Visits *visits;
  Conference *conference;
  WhipEndpoint *whip;

  DiskPolicy *disk_policy;
  HoldingKeep *holding;
  struct KeyCheck *key_check;
  DiskLevel disk;
  RecordingSpace space;
  gint64 rate_due_us;

  guint state_timer, tick_timer;
  gint64 state_sent_us;
  char *live_sent;   /* last "consultation" message of the data channels */
  guint tracks_told; /* of the recorder, when pages heard of them last */
  guint pending;     /* writes and jobs under way */
  gboolean stopping;
};

/* Reads users, sessions and unfinished consultations; those that were live become interrupted.
 * All pointers stay the caller's and must outlive the station. */
Station *station_new (const Config *config, Vault *vault, Store *store, Identity *identity,
                      GError **error);
/* Cameras, microphones, hub and recorder; a recording that was on goes on. */
gboolean station_start_media (Station *station, GError **error);
/* Ends media, marks what is live as interrupted, waits for the writes under way. */
void station_free (Station *station);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Station, station_free)

/* Something is being written, checked or fetched: what was asked has not been answered yet. */
gboolean station_is_busy (const Station *station);
/* Listens for patient monitors. */
gboolean station_listen (Station *station, GError **error);
/* A recovery recipient has been confirmed: consultations can be started. */
gboolean station_is_ready (Station *station);
/* [{code, text: {vi, en}}] (transfer full) */
json_t *station_problems (Station *station);

Consult *station_consult (Station *station, const char *id);
/* Reads one back from its rows (transfer full). */
Consult *station_load_consult (Station *station, const char *id, GError **error);

/* Writes one row; when it is durable, the consultation is changed by it and done is called, with
 * error NULL. The consultation may be gone by then: consult NULL. (transfer full) body. */
typedef void (*WriteDone) (Station *station, Consult *consult, gint64 seq, const GError *error,
                           void *arg);
void station_write (Station *station, const char *consult, const char *kind, const char *user,
                    json_t *body, WriteDone done, void *arg);
/* Several rows of one kind in one transaction; bodies an array (transfer full). */
void station_write_many (Station *station, const char *consult, const char *kind, const char *user,
                         json_t *bodies, WriteDone done, void *arg);
/* A version of a note; its draft goes in the same transaction. (transfer full) body. */
void station_write_note (Station *station, const char *consult, const char *user, json_t *body,
                         WriteDone done, void *arg);
/* What is being typed: overwritten each time, no row. seq in done is 0. (transfer full) body. */
void station_write_draft (Station *station, const char *consult, const char *note, const char *user,
                          json_t *body, WriteDone done, void *arg);
/* A deviation or step of the record. detail may be NULL. */
void station_event (Station *station, const char *consult, const char *user, const char *what,
                    const char *detail);
/* A new state of the consultation, as a row. */
void station_set_state (Station *station, Consult *consult, const char *user, ConsultState state,
                        WriteDone done, void *arg);

/* Puts a consultation on the screen (NULL: none): guests of the one before lose picture and
 * sound, those of the new one get theirs. */
void station_show (Station *station, Consult *consult);
/* A page is back: what was interrupted goes on. */
void station_returned (Station *station, const char *user);
/* A finished consultation leaves the station's hands. */
void station_forget (Station *station, Consult *consult);

/* Something that pages show has changed: they hear of it within 100 ms. */
void station_changed (Station *station);
