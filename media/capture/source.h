/* Sources: the clinic's cameras and microphones, each with a name of its own ("room", "exam").
 *
 * One GStreamer pipeline per source, so that one that dies never stops another; it is rebuilt
 * with back-off (1 s to 15 s) until it is stopped. All pipelines share the monotonic system
 * clock with base time 0, so Frame.capture_us of different sources can be compared.
 *
 * A source has two kinds of outlet, apart from each other:
 *   record  at the captured quality. An RTSP camera's own H.264 untranscoded; else a recording
 *           encoder with a key frame every 2 s; a stethoscope's FLAC. Never follows the link.
 *   live    one encoder per codec and rung (media/rung.h), running only while somebody wants it;
 *           stills are a codec of their own, a picture a second.
 *
 * Threads: the functions may be called from any thread, the state callback comes in the
 * GMainContext that was the thread default at source_new(), frames come on streaming threads.
 */
#pragma once
#include "media/rung.h"

typedef struct Source Source;
typedef struct Echo Echo;

typedef enum { SOURCE_STARTING, SOURCE_RUNNING, SOURCE_MISSING, SOURCE_STOPPED } SourceState;

typedef struct {
  const char *name; /* [a-z][a-z0-9-]{0,31} */
  MediaKind kind;
  const char *address; /* camera: v4l2:/dev/video0 | rtsp://host/path | test:
                        * microphone: pipewire:[target] | alsa:DEVICE | file:PATH (looped,
                        * played in real time) | test: */
  const char *user;    /* for rtsp, NULL for none; never part of the address */
  const char *password;
  guint width, height; /* wanted picture; 0: what the device prefers, at most 1280×720 */
  guint frame_rate;    /* wanted frames/s; 0: 30 at most */
  guint live_bitrate;  /* bit/s at which a live encoder starts; 0: by size */
  RungPrefer prefer;   /* what its rungs keep; microphone: RUNG_FAITHFUL makes it a stethoscope,
                        * recorded without loss (FLAC) and never processed */
  Echo *echo;          /* of the room's microphone: takes the loudspeaker's sound out of it
                        * (echo.h). Outlives the source. NULL: none; refused of a stethoscope */
} SourceConfig;

typedef struct {
  /* reason: English for the log, machine word first ("not-found: /dev/video3 ..."), NULL when
   * running. Words: not-found, refused, unreachable, no-data, unsupported, failed. */
  void (*state) (Source *source, SourceState state, const char *reason, void *arg);
  void (*record_frame) (Source *source, Frame *frame, void *arg);
  void (*live_frame) (Source *source, Frame *frame,
                      void *arg); /* frame->codec and ->rung tell which */
} SourceEvents;

/* A picture that was taken; lent. */
typedef struct {
  GBytes *data;
  const char *mime_type; /* "image/jpeg", "image/png"; static */
  guint width, height;
  gint64 capture_us; /* CLOCK_MONOTONIC */
} SourcePicture;
/* picture NULL: error says why there is none (MEDIA_ERROR). */
typedef void (*SourceTaken) (Source *source, const SourcePicture *picture, const GError *error,
                             void *arg);

/* Checks the address without opening it. Errors: MEDIA_ERROR_ADDRESS with a text that names
 * what is allowed; it never quotes a password. */
gboolean source_check_address (MediaKind kind, const char *address, GError **error);

/* Bits a second that recording such a camera takes at most; of an RTSP camera, which encodes as it
 * was told elsewhere, what they usually send. width, height: as in SourceConfig. */
guint source_record_bitrate (const char *address, guint width, guint height);

/* (transfer full) Copies config; nothing is opened before source_start(). */
Source *source_new (const SourceConfig *config, const SourceEvents *events, void *arg,
                    GError **error);
void source_start (Source *source);
/* Stops and waits until no callback is running or will come. Not from a callback. */
void source_stop (Source *source);
void source_free (Source *source); /* stops first */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Source, source_free)

const char *source_name (Source *source);
MediaKind source_kind (Source *source);
SourceState source_state (Source *source);

/* Record outlet on or off. First frame after "on" is a key frame. */
void source_set_recording (Source *source, gboolean on);
/* Live outlet for one codec and rung on or off; the first frame is a key frame. Codecs of the other
 * kind, and rungs that a codec has not, are ignored. */
void source_set_live (Source *source, MediaCodec codec, guint rung, gboolean on);
/* Target of a live encoder, bit/s, takes effect within a frame or two. */
void source_set_live_bitrate (Source *source, MediaCodec codec, guint rung, guint bitrate);
/* Sound: what listeners lose, per cent, for the codec's own FEC. */
void source_set_live_loss (Source *source, MediaCodec codec, guint rung, guint percent);
/* Of a camera: another ladder of rungs (rung.h); encoders that run begin anew. A microphone stays
 * what it is. */
void source_set_prefer (Source *source, RungPrefer prefer);
/* Asks the live encoder for a key frame. Requests are merged by delaying, never dropped: at most
 * one key frame per 300 ms, source, codec and rung, but the first request after
 * the outlet went on is answered at once: the viewer for whom it went on is ready a little later.
 * The key frame does not wait for the camera: the latest picture is encoded again. */
void source_request_keyframe (Source *source, MediaCodec codec, guint rung);
/* Takes one picture of a camera at the sensor's own size, as JPEG or, lossless, as PNG. Of what
 * comes encoded (RTSP), and of a device that runs at its full size, that is the latest picture;
 * another device is opened anew at its full size for some frames: live pictures and the record
 * stand still for about a second. done comes in the context of the state callback, not after
 * source_stop(). Any thread. */
void source_take (Source *source, gboolean lossless, SourceTaken done, void *arg);
/* Name of the encoder element chosen for a codec on this machine ("x264enc"), NULL if none. */
const char *source_encoder_name (MediaCodec codec);

/* Devices that this machine has, for `nhipcau check`: array of address strings (transfer full). */
GPtrArray *source_list_devices (MediaKind kind);
