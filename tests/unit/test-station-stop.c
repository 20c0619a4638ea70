/* A station that stops: while it waits for what is being written, its parts are gone one by one. */
#include "station_place.h"

static gboolean
written (void *data)
{
  Station *station = data;
  station->pending--;
  return G_SOURCE_REMOVE;
}

/* The write takes longer than from one tick to the next, and the pages are owed news. */
static void
test_slow_write (void)
{
  StationPlace place;
  memset (&place, 0, sizeof place);
  station_up (&place);
  station_changed (place.station);
  place.station->pending++;
  g_timeout_add_seconds (3, written, place.station);
  station_down (&place);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/station-stop/slow-write", test_slow_write);
  return g_test_run ();
}
