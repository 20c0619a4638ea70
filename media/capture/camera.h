/* Cameras: how one is opened. */
#pragma once
#include <gst/gst.h>
#include "media/capture/source.h"

/* Of what a camera offers, the caps nearest to the wanted picture, fixed. Raw before MJPEG before
 * H.264 when they come equally near. NULL when nothing can be used. (transfer full) */
GstCaps *camera_choose_caps (GstCaps *offered, guint width, guint height, guint rate);
/* Its sensor may have more pixels than it was opened for. */
gboolean camera_may_be_larger (const SourceConfig *config);
/* A live source of test_scene.h's picture with one open pad, I420. width a multiple of 16, height
 * even. NULL when videotestsrc is missing. (transfer floating) */
GstElement *camera_test_source (const char *name, guint width, guint height, guint rate);
/* The same with moving_scene.h's picture. (transfer floating) */
GstElement *camera_moving_source (guint width, guint height, guint rate);
