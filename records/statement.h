/* g_autoptr (sqlite3_stmt), for whoever works on either database. */
#pragma once
#include <glib.h>
#include <sqlite3.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (sqlite3_stmt, sqlite3_finalize)
