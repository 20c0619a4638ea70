/* The devices that the station drives itself (serial, Bluetooth): what each is doing, and where
 * what it gives goes. Main thread.
 *
 *   driver ─► FeedSink ─┬─ observation ─► readings_take()
 *                       ├─ wave ────────► waves_take()
 *                       ├─ alarm ───────► alarms_take()
 *                       ├─ state ───────► the console, an event of the consultation
 *                       └─ raw ─────────► capture, where one was asked for
 */
#pragma once
#include "media/devices/feed.h"
#include "station/capturing.h"
#include "station/station.h"

typedef struct Feed Feed;

Feeds *feeds_new (Station *station);
/* Drivers are to be gone by then: their feeds end here. */
void feeds_free (Feeds *feeds);

/* A device, from now on shown on the console. id: stable and unique, what a claim remembers
 * ("cms50-/dev/ttyUSB0", a Bluetooth address); name: for people; kind: "oximeter", "bp" … as
 * docs/protocol.md lists them. The feed lives until feed_remove(). */
Feed *feeds_add (Feeds *feeds, const char *id, const char *name, const char *kind);
void feed_remove (Feed *feed);
/* Every byte of it is captured from now on (transfer full). */
void feed_capture (Feed *feed, Capturing *capturing);
/* For the device's driver; valid as long as the feed. An observation or wave that names no device
 * gets the feed's id. */
const FeedSink *feed_sink (Feed *feed);

/* [{device, name, kind, state, why: {vi, en}, battery}] (transfer full). state: "searching" "live"
 * "lost" "failed". */
json_t *feeds_json (Feeds *feeds);
