#include "media/dicom/send.h"
#include "media/dicom/confine.h"
#include "media/dicom/control.h"
#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dctk.h"
#include "dcmtk/dcmdata/dcistrmb.h"
#include "dcmtk/dcmnet/dimse.h"
#include <cstdio>
#include <cstring>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  PDU_MAX = ASC_DEFAULTMAXPDU,
  CONNECT_SECONDS = 20,
  ACSE_SECONDS = 30,
  DIMSE_SECONDS = 120,
};

struct Sending {
  DcmFileFormat file;
  OFString sop_class, sop_instance, syntax;
  T_ASC_Network *network = nullptr;
  T_ASC_Association *association = nullptr;
};

static int
answer (const char *wrong)
{
  control_send (json_pack ("{s:s}", "error", wrong), -1);
  return 1;
}

static bool
load (Sending *our)
{
  struct stat status;
  if (fstat (0, &status) != 0 || status.st_size <= 0)
    return false;
  const size_t size = static_cast<size_t> (status.st_size);
  void *bytes = mmap (nullptr, size, PROT_READ, MAP_PRIVATE, 0, 0);
  if (bytes == MAP_FAILED)
    return false;
  DcmInputBufferStream stream;
  stream.setBuffer (bytes, static_cast<offile_off_t> (size));
  stream.setEos ();
  our->file.transferInit ();
  bool read = our->file.read (stream).good ();
  our->file.transferEnd ();
  DcmDataset *set = our->file.getDataset ();
  our->syntax = DcmXfer (set->getOriginalXfer ()).getXferID ();
  return read && set->findAndGetOFString (DCM_SOPClassUID, our->sop_class).good ()
         && set->findAndGetOFString (DCM_SOPInstanceUID, our->sop_instance).good ();
}

/* The object's own transfer syntax first; where it has no compressed pixels, the two plain ones
 * too: every store takes those (PS3.5 §10.1). */
static bool
propose (Sending *our, T_ASC_Parameters *params)
{
  const char *own[] = { our->syntax.c_str () };
  const char *plain[]
      = { UID_LittleEndianExplicitTransferSyntax, UID_LittleEndianImplicitTransferSyntax };
  bool encapsulated = DcmXfer (our->syntax.c_str ()).isEncapsulated ();
  if (ASC_addPresentationContext (params, 1, our->sop_class.c_str (), own, 1).bad ())
    return false;
  return encapsulated
         || ASC_addPresentationContext (params, 3, our->sop_class.c_str (), plain, 2).good ();
}

static const char *
associate (Sending *our, json_t *where)
{
  const char *address = json_string_value (json_object_get (where, "address"));
  const char *calling = json_string_value (json_object_get (where, "calling"));
  const char *called = json_string_value (json_object_get (where, "called"));
  T_ASC_Parameters *params = nullptr;
  char peer[80];

  if (address == nullptr || calling == nullptr || called == nullptr)
    return "unreachable";
  snprintf (peer, sizeof peer, "%s:%d", address,
            static_cast<int> (json_integer_value (json_object_get (where, "port"))));
  if (ASC_initializeNetwork (NET_REQUESTOR, 0, ACSE_SECONDS, &our->network).bad ()
      || ASC_createAssociationParameters (&params, PDU_MAX).bad ()
      || ASC_setAPTitles (params, calling, called, nullptr).bad ()
      || ASC_setPresentationAddresses (params, "localhost", peer).bad () || !propose (our, params))
    return "memory";
  OFCondition got = ASC_requestAssociation (our->network, params, &our->association);
  if (got == DUL_ASSOCIATIONREJECTED)
    return "rejected";
  return got.good () ? nullptr : "unreachable";
}

static int
store (Sending *our)
{
  T_ASC_PresentationContextID context = ASC_findAcceptedPresentationContextID (
      our->association, our->sop_class.c_str (), our->syntax.c_str ());
  if (context == 0)
    context = ASC_findAcceptedPresentationContextID (our->association, our->sop_class.c_str ());
  if (context == 0)
    return answer ("unsupported");
  T_DIMSE_C_StoreRQ request = {};
  T_DIMSE_C_StoreRSP response = {};
  DcmDataset *detail = nullptr;
  request.MessageID = our->association->nextMsgID++;
  OFStandard::strlcpy (request.AffectedSOPClassUID, our->sop_class.c_str (),
                       sizeof request.AffectedSOPClassUID);
  OFStandard::strlcpy (request.AffectedSOPInstanceUID, our->sop_instance.c_str (),
                       sizeof request.AffectedSOPInstanceUID);
  request.DataSetType = DIMSE_DATASET_PRESENT;
  request.Priority = DIMSE_PRIORITY_MEDIUM;
  OFCondition got
      = DIMSE_storeUser (our->association, context, &request, nullptr, our->file.getDataset (),
                         nullptr, nullptr, DIMSE_NONBLOCKING, DIMSE_SECONDS, &response, &detail);
  delete detail;
  if (got.bad ())
    return answer ("unreachable");
  ASC_releaseAssociation (our->association);
  control_send (json_pack ("{s:i}", "status", static_cast<int> (response.DimseStatus)), -1);
  return 0;
}

void
send_prepare ()
{
  OFStandard::initializeNetwork ();
  dcmDisableGethostbyaddr.set (OFTrue);
  dcmConnectionTimeout.set (CONNECT_SECONDS);
}

int
send_run ()
{
  Sending our;
  json_t *where = control_receive ();
  if (where == nullptr)
    return 1;
  if (!load (&our))
    return answer ("unreadable");
  const char *wrong = associate (&our, where);
  json_decref (where);
  if (wrong != nullptr)
    return answer (wrong);
  /* From here on the other side is listened to, and no further connection can be made. */
  int exit_code = confine_calls () ? store (&our) : answer ("memory");
  ASC_destroyAssociation (&our.association);
  ASC_dropNetwork (&our.network);
  return exit_code;
}
