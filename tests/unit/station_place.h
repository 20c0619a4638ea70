/* A station without cameras, hub or server, on a store of its own, and pages that are nothing but
 * frames in and out: for the tests of the protocol and its fuzzer. */
#pragma once
#include "records_place.h"
#include "station/station.h"

typedef struct {
  Records records;
  Config *config;
  Station *station;
} StationPlace;

/* Where frames to a page go. */
typedef struct {
  Client *client;
  GPtrArray *frames; /* json_t* */
  gboolean closed;
} Page;

static inline void
page_sent (Client *client, const char *text, gsize length, void *arg)
{
  Page *page = arg;
  json_t *frame = json_loadb (text, length, 0, NULL);
  g_assert_nonnull (frame);
  g_ptr_array_add (page->frames, frame);
}

static inline void
page_close (Client *client, void *arg)
{
  ((Page *)arg)->closed = TRUE;
}

static inline void
page_frame_free (void *frame)
{
  json_decref (frame);
}

static inline Page *
page_open (StationPlace *place, ClientKind kind)
{
  static const ClientEvents events = { .send = page_sent, .close = page_close };
  Page *page = g_new0 (Page, 1);
  page->frames = g_ptr_array_new_with_free_func (page_frame_free);
  page->client = client_new (place->station, kind, TRUE, &events, page);
  return page;
}

static inline void
page_free (Page *page)
{
  client_gone (page->client);
  g_ptr_array_unref (page->frames);
  g_free (page);
}

/* Lets writes and jobs finish. */
static inline void
station_settle (StationPlace *place)
{
  while (station_is_busy (place->station))
    g_main_context_iteration (NULL, TRUE);
}

static inline void
page_give (StationPlace *place, Page *page, const char *text, gsize length)
{
  page->client->budget_us = 0; /* the rate of a test is not a page's */
  client_receive (page->client, text, length);
  station_settle (place);
}

static inline void
station_add_user (StationPlace *place, const char *id, const char *pin)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *hash = vault_hash_pin (pin, &error);
  User user = { .id = (char *)id, .name = (char *)id, .role = (char *)"doctor", .pin_hash = hash };
  g_autoptr (Users) users = users_load (place->records.store, &error);
  users_save (users, &user, "station", &error);
  g_assert_no_error (error);
}

static inline void
station_begin (StationPlace *place)
{
  g_autoptr (GError) error = NULL;
  place->station = station_new (place->config, place->records.vault, place->records.store,
                                place->records.identity, &error);
  g_assert_no_error (error);
}

static inline void
station_up (StationPlace *place)
{
  g_autoptr (GError) error = NULL;
  records_up (&place->records);
  station_add_user (place, "lan", "481516");
  station_add_user (place, "hung", "234291");
  place->config = config_parse ("", "test", NULL, &error);
  g_assert_no_error (error);
  place->config->state = g_strdup (place->records.dir);
  place->config->keep_free = 0;
  place->config->reserve = 0;
  station_begin (place);
}

static inline void
station_down (StationPlace *place)
{
  station_free (place->station);
  config_free (place->config);
  records_down (&place->records);
}
