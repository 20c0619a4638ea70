#!/usr/bin/python3
"""A bluetoothd on a bus of the tests, with health devices behind it: cuff, oximeters, thermometer,
glucometer, scale, heart rate belt. It has the objects of BlueZ (doc/*-api.txt) that a client of
GATT sees, and the ways of such devices: they advertise, want a bond, notify before anybody has
subscribed, forget their bond, go out of range, disconnect when a strip is inserted.

Usage: bluez.py ADDRESS-OF-BUS; commands are JSON objects, one a line, on stdin; each is answered on
stdout by {"re": its "id"}. Ends with its stdin.
"""
import datetime
import json
import sys

import dbus
import dbus.mainloop.glib
from gi.repository import GLib

sys.dont_write_bytecode = True
from bluez_device import Device  # noqa: E402
from bluez_objects import ADAPTER, ADAPTER_PATH, DEVICE, NAME, Adapter, Agents, Root  # noqa: E402


class Daemon:
    def __init__(self, address):
        self.address, self.log, self.devices = address, [], {}
        self.present, self.powered, self.blocked, self.monitors = True, True, False, False
        self.bus = None
        GLib.timeout_add(150, self.advertise)

    def called(self, *what):
        self.log.append([str(datetime.datetime.now().time()), *what])

    def ready(self):
        adapter = self.things.get(ADAPTER_PATH) if self.bus is not None else None
        return adapter is not None and bool(adapter.interfaces[ADAPTER]['Powered'])

    def advertise(self):
        for device in self.devices.values():
            if self.bus is not None:
                device.hear()
        return True

    def start(self):
        self.bus = dbus.bus.BusConnection(self.address)
        self.bus.set_exit_on_disconnect(False)
        self.things, self.agents = {}, {}
        self.discovering, self.filter, self.monitor = False, set(), None
        self.root = Root(self)
        Agents(self)
        if self.present:
            self.plug_in()
        self.bus.request_name(NAME)

    def plug_in(self):
        Adapter(self)
        for device in self.devices.values():
            if device.host_bond:
                device.appear()

    def unplug(self):
        for device in self.devices.values():
            device.disappear()
        if ADAPTER_PATH in self.things:
            self.things[ADAPTER_PATH].remove()
        self.discovering, self.monitor = False, None

    def stop(self):
        for device in self.devices.values():
            device.thing, device.characteristics, device.connected = None, {}, False
        self.bus.close()
        self.bus = None

    # ---- Commands

    def do(self, command):
        what = command['do']
        device = self.devices.get(command.get('address'))
        return getattr(self, 'do_' + what.replace('-', '_'))(command, device)

    def do_start(self, command, device):
        self.monitors = command.get('monitors', self.monitors)
        self.start()

    def do_stop(self, command, device):
        self.stop()

    def do_adapter(self, command, device):
        self.blocked = command.get('blocked', self.blocked)
        self.powered = command.get('powered', self.powered)
        adapter = self.things.get(ADAPTER_PATH)
        if 'present' in command:
            self.present = command['present']
            self.plug_in() if self.present else self.unplug()
        elif adapter is not None:
            if self.blocked or not self.powered:
                for one in self.devices.values():
                    one.disconnect()
            adapter.put(ADAPTER, Powered=dbus.Boolean(self.powered and not self.blocked))

    def do_add(self, command, device):
        self.devices[command['address']] = Device(self, command)

    def do_on(self, command, device):
        device.on, device.rssi = True, command.get('rssi', -60)

    def do_off(self, command, device):
        device.on = False
        device.disconnect()
        device.unheard()

    def do_measure(self, command, device):
        device.say(command['uuid'], bytes.fromhex(command['hex']), command.get('now', False))

    def do_record(self, command, device):
        device.records.append(bytes.fromhex(command['hex']))
        device.strip_after = command.get('strip_after', device.strip_after)

    def do_clear(self, command, device):
        device.records = []

    def do_device_forgets(self, command, device):
        device.own_bond = False
        device.disconnect()

    def do_host_forgets(self, command, device):
        device.host_bond = False
        device.thing.put(DEVICE, Paired=dbus.Boolean(False))

    def do_typed(self, command, device):
        device.typed()

    def do_log(self, command, device):
        return {'log': self.log, 'discovering': self.discovering}


def main():
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    daemon, loop = Daemon(sys.argv[1]), GLib.MainLoop()

    def heard(channel, condition):
        line = sys.stdin.readline()
        if not line:
            loop.quit()
            return False
        command = json.loads(line)
        try:
            answer = daemon.do(command) or {}
        except Exception as error:  # told to the test, which fails by it
            answer = {'error': repr(error)}
        print(json.dumps({'re': command.get('id'), **answer}), flush=True)
        return True

    GLib.io_add_watch(sys.stdin.fileno(), GLib.IO_IN | GLib.IO_HUP, heard)
    print(json.dumps({'ready': True}), flush=True)
    loop.run()


main()
