#include "media/dicom/control.h"
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static bool
send_text (const char *text, size_t size, int fd)
{
  alignas (cmsghdr) char room[CMSG_SPACE (sizeof (int))] = {};
  iovec part = { const_cast<char *> (text), size };
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (fd >= 0) {
    message.msg_control = room;
    message.msg_controllen = sizeof room;
    cmsghdr *head = CMSG_FIRSTHDR (&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN (sizeof (int));
    memcpy (CMSG_DATA (head), &fd, sizeof fd);
  }
  ssize_t sent;
  do
    sent = sendmsg (CONTROL_FD, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t> (size);
}

bool
control_send (json_t *message, int fd)
{
  char *text = message != nullptr ? json_dumps (message, JSON_COMPACT) : nullptr;
  json_decref (message);
  bool sent = text != nullptr && send_text (text, strlen (text), fd);
  free (text);
  if (fd >= 0)
    close (fd);
  return sent;
}

json_t *
control_receive ()
{
  static char text[CONTROL_MAX];
  ssize_t got;
  do
    got = recv (CONTROL_FD, text, sizeof text, 0);
  while (got < 0 && errno == EINTR);
  return got > 0 ? json_loadb (text, static_cast<size_t> (got), 0, nullptr) : nullptr;
}

int
control_memfd ()
{
  return memfd_create ("dicom", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

bool
control_write (int fd, const void *data, size_t size)
{
  const char *at = static_cast<const char *> (data);
  while (size > 0) {
    ssize_t put = write (fd, at, size);
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      return false;
    at += put;
    size -= static_cast<size_t> (put);
  }
  return true;
}

bool
control_freeze (int fd)
{
  return fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0;
}
