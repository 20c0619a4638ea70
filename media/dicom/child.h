/* A confined child of the station for foreign DICOM bytes (main.cc), seen from the station.
 *
 * One message is one JSON object, at most DICOM_CHILD_MESSAGE bytes; it may bring one memory file
 * that can no longer be changed. What a child says is as hostile as the bytes that it has read.
 * One thread, whose main context calls the handlers.
 */
#pragma once
#include <gio/gio.h>
#include <jansson.h>

#define DICOM_CHILD_MESSAGE (64 * 1024)

typedef struct DicomChild DicomChild;

typedef struct {
  /* message: not kept. bytes: the memory file, NULL: none (transfer none). */
  void (*message) (DicomChild *child, json_t *message, GBytes *bytes, void *arg);
  /* It has ended, or has been ended for speaking wrongly; why for the log. Comes once, from the
   * main context; the child is to be freed. */
  void (*gone) (DicomChild *child, const char *why, void *arg);
} DicomChildEvents;

/* mode: "receive" or "read". fd: its descriptor 0, taken over also on failure. bytes_max: of a
 * memory file that it may hand over. The environment of the child is empty. */
DicomChild *dicom_child_new (const char *mode, int fd, gsize bytes_max,
                             const DicomChildEvents *events, void *arg, GError **error);
/* (transfer full) message. FALSE: the child is gone, or about to be told so. */
gboolean dicom_child_send (DicomChild *child, json_t *message);
/* Its process id as text (transfer none). */
const char *dicom_child_pid (DicomChild *child);
/* Ends it, whatever it does. */
void dicom_child_free (DicomChild *child);

/* A memory file with these bytes that can no longer be changed; -1 with error. */
int dicom_memory_file (GBytes *bytes, GError **error);

/* Where the program lies; else beside the running program (NULL). A test sets it. */
void dicom_child_set_program (const char *path);
