#include "media/dicom/receive.h"
#include "media/dicom/control.h"
#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dctk.h"
#include "dcmtk/dcmdata/dcostrma.h"
#include "dcmtk/dcmnet/dimse.h"
#include <cstring>
#include <memory>
#include <unistd.h>

enum {
  PDU_MAX = ASC_DEFAULTMAXPDU,
  ACSE_SECONDS = 15,  /* for the peer to ask for its association */
  DIMSE_SECONDS = 60, /* of silence between two messages, and within one */
};

enum {
  STATUS_OUT_OF_RESOURCES = STATUS_STORE_Refused_OutOfResources,
  STATUS_NOT_UNDERSTOOD = STATUS_STORE_Error_CannotUnderstand,
};

/* ---- Where an object goes ----------------------------------------------------------------- */

class MemoryConsumer : public DcmConsumer
{
public:
  MemoryConsumer (int fd_, size_t most_) : fd (fd_), most (most_)
  {
  }
  OFBool
  good () const override
  {
    return failed ? OFFalse : OFTrue;
  }
  OFCondition
  status () const override
  {
    return failed ? EC_InvalidStream : EC_Normal;
  }
  OFBool
  isFlushed () const override
  {
    return OFTrue;
  }
  offile_off_t
  avail () const override
  {
    return 1 << 20;
  }
  offile_off_t
  write (const void *data, offile_off_t size) override
  {
    size_t more = static_cast<size_t> (size);
    if (failed || more > most - used || !control_write (fd, data, more)) {
      failed = true;
      return 0;
    }
    used += more;
    return size;
  }
  void
  flush () override
  {
  }
  size_t
  size () const
  {
    return used;
  }

private:
  int fd;
  size_t most, used = 0;
  bool failed = false;
};

class MemoryStream : public DcmOutputStream
{
public:
  explicit MemoryStream (MemoryConsumer *consumer) : DcmOutputStream (consumer)
  {
  }
};

/* ---- The association ---------------------------------------------------------------------- */

static const char *const transfer_syntaxes[] = {
  UID_LittleEndianExplicitTransferSyntax,
  UID_LittleEndianImplicitTransferSyntax,
  UID_BigEndianExplicitTransferSyntax,
  UID_JPEGProcess14SV1TransferSyntax,
  UID_JPEGProcess14TransferSyntax,
  UID_JPEGLSLosslessTransferSyntax,
  UID_RLELosslessTransferSyntax,
  UID_JPEGProcess1TransferSyntax,
  UID_JPEGProcess2_4TransferSyntax,
  UID_JPEGLSLossyTransferSyntax,
  UID_JPEG2000LosslessOnlyTransferSyntax,
  UID_JPEG2000TransferSyntax,
  UID_DeflatedExplicitVRLittleEndianTransferSyntax,
};

struct Association {
  T_ASC_Network *network = nullptr;
  T_ASC_Association *association = nullptr;
  size_t object_max = 0;
  DIC_AE calling = "", called = "";
};

static bool
reject (Association *our, T_ASC_RejectParametersReason reason)
{
  const T_ASC_RejectParameters why
      = { ASC_RESULT_REJECTEDPERMANENT, ASC_SOURCE_SERVICEUSER, reason };
  ASC_rejectAssociation (our->association, &why);
  return false;
}

/* The station knows who may send. */
static bool
ask_station (Association *our)
{
  DIC_AE responding;
  ASC_getAPTitles (our->association->params, our->calling, sizeof our->calling, our->called,
                   sizeof our->called, responding, sizeof responding);
  if (!control_send (json_pack ("{s:s, s:s, s:s}", "type", "associate", "calling", our->calling,
                                "called", our->called),
                     -1))
    return reject (our, ASC_REASON_SU_NOREASON);
  json_t *answer = control_receive ();
  const char *refused = json_string_value (json_object_get (answer, "refuse"));
  bool calling = refused != nullptr && strcmp (refused, "calling") == 0;
  bool accepted = answer != nullptr && refused == nullptr;
  our->object_max
      = static_cast<size_t> (json_integer_value (json_object_get (answer, "object_max")));
  json_decref (answer);
  if (accepted)
    return true;
  return reject (our, calling ? ASC_REASON_SU_CALLINGAETITLENOTRECOGNIZED
                              : ASC_REASON_SU_CALLEDAETITLENOTRECOGNIZED);
}

static bool
negotiate (Association *our)
{
  static const char *verification[] = { UID_VerificationSOPClass };
  const char **syntaxes = const_cast<const char **> (transfer_syntaxes);
  const int n = static_cast<int> (sizeof transfer_syntaxes / sizeof *transfer_syntaxes);
  T_ASC_Parameters *params = our->association->params;

  if (!ask_station (our))
    return false;
  bool ok = ASC_acceptContextsWithPreferredTransferSyntaxes (params, verification, 1, syntaxes, n)
                .good ()
            && ASC_acceptContextsWithPreferredTransferSyntaxes (params, dcmAllStorageSOPClassUIDs,
                                                                numberOfDcmAllStorageSOPClassUIDs,
                                                                syntaxes, n)
                   .good ();
  if (!ok)
    return reject (our, ASC_REASON_SU_NOREASON);
  return ASC_acknowledgeAssociation (our->association).good ();
}

/* ---- C-STORE ------------------------------------------------------------------------------ */

/* PS3.10 §7.1: what stands before the data set in a file. */
static bool
write_meta (Association *our, const T_DIMSE_C_StoreRQ *request, const char *syntax,
            MemoryStream *stream)
{
  static const Uint8 version[] = { 0, 1 };
  DcmMetaInfo meta;
  bool ok
      = meta.putAndInsertUint8Array (DCM_FileMetaInformationVersion, version, 2).good ()
        && meta.putAndInsertString (DCM_MediaStorageSOPClassUID, request->AffectedSOPClassUID)
               .good ()
        && meta.putAndInsertString (DCM_MediaStorageSOPInstanceUID, request->AffectedSOPInstanceUID)
               .good ()
        && meta.putAndInsertString (DCM_TransferSyntaxUID, syntax).good ()
        && meta.putAndInsertString (DCM_ImplementationClassUID, OFFIS_IMPLEMENTATION_CLASS_UID)
               .good ()
        && meta.putAndInsertString (DCM_SourceApplicationEntityTitle, our->calling).good ()
        && meta.computeGroupLengthAndPadding (
                   EGL_withGL, EPD_noChange, META_HEADER_DEFAULT_TRANSFERSYNTAX, EET_ExplicitLength)
               .good ();
  meta.transferInit ();
  ok = ok
       && meta.write (*stream, META_HEADER_DEFAULT_TRANSFERSYNTAX, EET_ExplicitLength, nullptr)
              .good ();
  meta.transferEnd ();
  return ok;
}

static const char *
syntax_of (Association *our, T_ASC_PresentationContextID context)
{
  static T_ASC_PresentationContext found;
  return ASC_findAcceptedPresentationContext (our->association->params, context, &found).good ()
             ? found.acceptedTransferSyntax
             : nullptr;
}

/* What the station says of an object: 0 when it lies on the disk. */
static DIC_US
hand_over (Association *our, const T_DIMSE_C_StoreRQ *request, const char *syntax, int fd,
           size_t size)
{
  if (!control_freeze (fd)) {
    close (fd);
    return STATUS_OUT_OF_RESOURCES;
  }
  json_t *message = json_pack ("{s:s, s:s, s:s, s:s, s:s, s:I}", "type", "store", "calling",
                               our->calling, "sop_class", request->AffectedSOPClassUID,
                               "sop_instance", request->AffectedSOPInstanceUID, "syntax", syntax,
                               "size", static_cast<json_int_t> (size));
  if (!control_send (message, fd))
    return STATUS_OUT_OF_RESOURCES;
  json_t *answer = control_receive ();
  json_t *status = json_object_get (answer, "status");
  DIC_US result = json_is_integer (status) ? static_cast<DIC_US> (json_integer_value (status))
                                           : static_cast<DIC_US> (STATUS_OUT_OF_RESOURCES);
  json_decref (answer);
  return result;
}

static bool
store (Association *our, const T_DIMSE_C_StoreRQ *request, T_ASC_PresentationContextID context)
{
  const char *syntax = syntax_of (our, context);
  int fd = syntax != nullptr ? control_memfd () : -1;
  if (fd < 0)
    return false;
  MemoryConsumer consumer (fd, our->object_max);
  MemoryStream stream (&consumer);
  T_ASC_PresentationContextID data_context = context;
  bool written = write_meta (our, request, syntax, &stream);
  OFCondition got
      = written ? DIMSE_receiveDataSetInFile (our->association, DIMSE_NONBLOCKING, DIMSE_SECONDS,
                                              &data_context, &stream, nullptr, nullptr)
                : EC_InvalidStream;
  T_DIMSE_C_StoreRSP response = {};
  response.MessageIDBeingRespondedTo = request->MessageID;
  OFStandard::strlcpy (response.AffectedSOPClassUID, request->AffectedSOPClassUID,
                       sizeof response.AffectedSOPClassUID);
  OFStandard::strlcpy (response.AffectedSOPInstanceUID, request->AffectedSOPInstanceUID,
                       sizeof response.AffectedSOPInstanceUID);
  response.opts = O_STORE_AFFECTEDSOPCLASSUID | O_STORE_AFFECTEDSOPINSTANCEUID;
  response.DataSetType = DIMSE_DATASET_NULL;
  if (got.bad () && consumer.good ()) { /* the peer is gone */
    close (fd);
    return false;
  }
  if (!consumer.good () || data_context != context) {
    close (fd);
    response.DimseStatus = STATUS_OUT_OF_RESOURCES;
    DIMSE_sendStoreResponse (our->association, context, request, &response, nullptr);
    return false; /* the rest of the object is on the wire still */
  }
  response.DimseStatus = hand_over (our, request, syntax, fd, consumer.size ());
  return DIMSE_sendStoreResponse (our->association, context, request, &response, nullptr).good ();
}

/* ---- Messages ----------------------------------------------------------------------------- */

/* FALSE: the association is at its end. */
static bool
serve_one (Association *our)
{
  T_ASC_PresentationContextID context = 0;
  T_DIMSE_Message message = {};
  DcmDataset *detail = nullptr;
  OFCondition got = DIMSE_receiveCommand (our->association, DIMSE_NONBLOCKING, DIMSE_SECONDS,
                                          &context, &message, &detail);
  delete detail;
  if (got == DUL_PEERREQUESTEDRELEASE) {
    ASC_acknowledgeRelease (our->association);
    return false;
  }
  if (got.good () && message.CommandField == DIMSE_C_ECHO_RQ) {
    control_send (json_pack ("{s:s, s:s}", "type", "echo", "calling", our->calling), -1);
    return DIMSE_sendEchoResponse (our->association, context, &message.msg.CEchoRQ, STATUS_Success,
                                   nullptr)
        .good ();
  }
  if (got.good () && message.CommandField == DIMSE_C_STORE_RQ
      && store (our, &message.msg.CStoreRQ, context))
    return true;
  if (got != DUL_PEERABORTEDASSOCIATION)
    ASC_abortAssociation (our->association);
  return false;
}

void
receive_prepare ()
{
  OFStandard::initializeNetwork ();
  dcmDisableGethostbyaddr.set (OFTrue);
  dcmExternalSocketHandle.set (dup (0)); /* the library takes 0 for none */
  dcmConnectionTimeout.set (ACSE_SECONDS);
}

int
receive_run ()
{
  Association our;
  OFCondition got = ASC_initializeNetwork (NET_ACCEPTOR, 0, ACSE_SECONDS, &our.network);
  if (got.good ())
    got = ASC_receiveAssociation (our.network, &our.association, PDU_MAX);
  if (got.good () && negotiate (&our))
    while (serve_one (&our))
      ;
  if (our.association != nullptr) {
    ASC_dropSCPAssociation (our.association);
    ASC_destroyAssociation (&our.association);
  }
  ASC_dropNetwork (&our.network);
  return got.good () ? 0 : 1;
}
