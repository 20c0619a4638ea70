/* nhipcau-dicom receive | read | send: the station's confined children for foreign DICOM bytes.
 *
 *   receive   descriptor 0: a connection that the station has accepted; one association
 *   read      descriptor 0: a memory file with one object; answers questions about it
 *   send      descriptor 0: a memory file with one object; hands it to a PACS
 *
 * Descriptor 3 is the talk with the station (control.h). Not for people: started by nhipcau. */
#include "media/dicom/confine.h"
#include "media/dicom/control.h"
#include "media/dicom/object.h"
#include "media/dicom/picture.h"
#include "media/dicom/receive.h"
#include "media/dicom/send.h"
#include "media/dicom/voi_lut.h"
#include <cstdio>
#include <cstring>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const unsigned long MEMORY = 2ul << 30, FILE_MAX = 1ul << 30;
enum { RECEIVE_CPU = 300, READ_CPU = 300 };

/* ---- read --------------------------------------------------------------------------------- */

static bool
answer_fail (const char *code)
{
  return control_send (json_pack ("{s:s}", "error", code), -1);
}

static bool
answer_bytes (const std::vector<uint8_t> &bytes)
{
  int fd = control_memfd ();
  if (fd < 0)
    return answer_fail ("memory");
  if (!control_write (fd, bytes.data (), bytes.size ()) || !control_freeze (fd)) {
    close (fd);
    return answer_fail ("memory");
  }
  return control_send (json_pack ("{s:I}", "size", static_cast<json_int_t> (bytes.size ())), fd);
}

/* {"do":"frame", "frame":0, "form":"thumb"|"small"|"full"|"lut"}; of "lut" frame is the number of
 * the table. */
static bool
answer_frame (DicomObject *object, json_t *question)
{
  const char *form = json_string_value (json_object_get (question, "form"));
  json_int_t n = json_integer_value (json_object_get (question, "frame"));
  std::vector<uint8_t> bytes, shades;
  Frame frame;
  if (form != nullptr && strcmp (form, "lut") == 0 && n >= 0 && n < VOI_LUTS_MAX)
    return object->shades (static_cast<unsigned> (n), &shades) && picture_table (shades, &bytes)
               ? answer_bytes (bytes)
               : answer_fail ("undecodable");
  if (form == nullptr || n < 0 || n >= OBJECT_FRAMES_MAX
      || !object->decode (static_cast<unsigned> (n), &frame))
    return answer_fail ("undecodable");
  if (strcmp (form, "full") != 0)
    object->shades (0, &shades);
  bool made = strcmp (form, "full") == 0 ? picture_lossless (frame, &bytes)
              : strcmp (form, "thumb") == 0
                  ? picture_small (frame, object->form (), shades, 160, 60, &bytes)
                  : picture_small (frame, object->form (), shades, 512, 70, &bytes);
  return made ? answer_bytes (bytes) : answer_fail ("memory");
}

static int
read_run ()
{
  struct stat status;
  if (fstat (0, &status) != 0 || status.st_size <= 0)
    return 1;
  const size_t size = static_cast<size_t> (status.st_size);
  const void *bytes = mmap (nullptr, size, PROT_READ, MAP_PRIVATE, 0, 0);
  DicomObject object;
  bool loaded = bytes != MAP_FAILED && object.load (bytes, size);
  json_t *question;
  bool going = true;
  while (going && (question = control_receive ()) != nullptr) {
    const char *what = json_string_value (json_object_get (question, "do"));
    if (!loaded)
      going = answer_fail ("unreadable");
    else if (what != nullptr && strcmp (what, "describe") == 0)
      going = control_send (json_pack ("{s:o}", "about", object.describe ()), -1);
    else
      going = answer_frame (&object, question);
    json_decref (question);
  }
  return 0;
}

int
main (int argc, char **argv)
{
  const char *mode = argc == 2 ? argv[1] : "";
  const bool receive = strcmp (mode, "receive") == 0, send = strcmp (mode, "send") == 0;
  if (!receive && !send && strcmp (mode, "read") != 0) {
    fprintf (stderr, "nhipcau-dicom is started by nhipcau, not by people\n");
    return 2;
  }
  if (!confine_limits (MEMORY, receive ? RECEIVE_CPU : READ_CPU, FILE_MAX))
    return 3;
  object_prepare ();
  if (receive)
    receive_prepare ();
  if (send)
    send_prepare ();
  if (!(send ? confine_calls_but_connecting () : confine_calls ()))
    return 3;
  if (send)
    return send_run ();
  return receive ? receive_run () : read_run ();
}
