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
import dbus.service
from gi.repository import GLib

NAME, ADAPTER_PATH = 'org.bluez', '/org/bluez/hci0'
PROPERTIES, MANAGER = 'org.freedesktop.DBus.Properties', 'org.freedesktop.DBus.ObjectManager'
ADAPTER, DEVICE = 'org.bluez.Adapter1', 'org.bluez.Device1'
SERVICE, CHARACTERISTIC = 'org.bluez.GattService1', 'org.bluez.GattCharacteristic1'
LONG = '0000%s-0000-1000-8000-00805f9b34fb'

# service, then its characteristics: UUID and what can be done with it
KINDS = {
    'cuff': ('1810', [('2A35', ['indicate'])]),
    'oximeter': ('1822', [('2A5F', ['notify'])]),
    'spot': ('1822', [('2A5E', ['indicate'])]),
    'thermometer': ('1809', [('2A1C', ['indicate'])]),
    'scale': ('181d', [('2A9D', ['indicate'])]),
    'belt': ('180d', [('2A37', ['notify'])]),
    'glucometer': ('1808', [('2A18', ['notify']), ('2A34', ['notify']), ('2A52', ['write', 'indicate'])]),
}


class Failure(dbus.DBusException):
    def __init__(self, name, text='failed'):
        super().__init__(text)
        self._dbus_error_name = 'org.bluez.Error.' + name


def octets(data):
    return dbus.Array([dbus.Byte(b) for b in data], signature='y')


class Thing(dbus.service.Object):
    """An object with properties: {interface: {name: value}}."""

    def __init__(self, daemon, path, interfaces):
        super().__init__(daemon.bus, path)
        self.daemon, self.path, self.interfaces = daemon, path, interfaces
        daemon.things[path] = self
        daemon.root.InterfacesAdded(dbus.ObjectPath(path), self.described())

    def described(self):
        return dbus.Dictionary({i: dbus.Dictionary(p, signature='sv') for i, p in self.interfaces.items()},
                               signature='sa{sv}')

    def put(self, interface, **properties):
        changed = {k: v for k, v in properties.items() if v is not None}
        gone = [k for k, v in properties.items() if v is None and k in self.interfaces[interface]]
        self.interfaces[interface].update(changed)
        for name in gone:
            del self.interfaces[interface][name]
        self.PropertiesChanged(interface, dbus.Dictionary(changed, signature='sv'), dbus.Array(gone, signature='s'))

    def remove(self):
        names = dbus.Array(self.interfaces, signature='s')
        self.daemon.things.pop(self.path, None)
        self.daemon.root.InterfacesRemoved(dbus.ObjectPath(self.path), names)
        self.remove_from_connection()

    @dbus.service.signal(PROPERTIES, signature='sa{sv}as')
    def PropertiesChanged(self, interface, changed, invalidated):
        pass

    @dbus.service.method(PROPERTIES, in_signature='ss', out_signature='v')
    def Get(self, interface, name):
        return self.interfaces[interface][name]

    @dbus.service.method(PROPERTIES, in_signature='s', out_signature='a{sv}')
    def GetAll(self, interface):
        return dbus.Dictionary(self.interfaces.get(interface, {}), signature='sv')

    @dbus.service.method(PROPERTIES, in_signature='ssv')
    def Set(self, interface, name, value):
        self.daemon.called('Set', name, bool(value))
        if interface == ADAPTER and name == 'Powered' and self.daemon.blocked:
            raise Failure('Blocked', 'Blocked through rfkill')
        self.put(interface, **{str(name): value})


class Root(dbus.service.Object):
    def __init__(self, daemon):
        super().__init__(daemon.bus, '/')
        self.daemon = daemon

    @dbus.service.method(MANAGER, out_signature='a{oa{sa{sv}}}')
    def GetManagedObjects(self):
        return dbus.Dictionary({dbus.ObjectPath(p): t.described() for p, t in self.daemon.things.items()},
                               signature='oa{sa{sv}}')

    @dbus.service.signal(MANAGER, signature='oa{sa{sv}}')
    def InterfacesAdded(self, path, interfaces):
        pass

    @dbus.service.signal(MANAGER, signature='oas')
    def InterfacesRemoved(self, path, interfaces):
        pass


class Agents(Thing):
    def __init__(self, daemon):
        super().__init__(daemon, '/org/bluez', {'org.bluez.AgentManager1': {}})

    @dbus.service.method('org.bluez.AgentManager1', in_signature='os', sender_keyword='sender')
    def RegisterAgent(self, path, capability, sender=None):
        self.daemon.called('RegisterAgent', str(capability))
        self.daemon.agents[sender] = path


class Adapter(Thing):
    def __init__(self, daemon):
        interfaces = {ADAPTER: {'Address': '00:00:5E:00:53:00', 'Powered': dbus.Boolean(not daemon.blocked and daemon.powered)}}
        if daemon.monitors:
            interfaces['org.bluez.AdvertisementMonitorManager1'] = {
                'SupportedMonitorTypes': dbus.Array(['or_patterns'], signature='s')}
        super().__init__(daemon, ADAPTER_PATH, interfaces)

    @dbus.service.method(ADAPTER, in_signature='a{sv}')
    def SetDiscoveryFilter(self, wanted):
        self.daemon.filter = {str(u)[4:8] for u in wanted.get('UUIDs', [])}

    @dbus.service.method(ADAPTER)
    def StartDiscovery(self):
        self.daemon.called('StartDiscovery')
        if not self.interfaces[ADAPTER]['Powered']:
            raise Failure('NotReady')
        self.daemon.discovering = True

    @dbus.service.method(ADAPTER)
    def StopDiscovery(self):
        self.daemon.called('StopDiscovery')
        self.daemon.discovering = False
        for device in self.daemon.devices.values():
            device.unheard()

    @dbus.service.method(ADAPTER, in_signature='o')
    def RemoveDevice(self, path):
        self.daemon.called('RemoveDevice', str(path))
        for device in self.daemon.devices.values():
            if device.path == path:
                device.host_bond = False
                device.disappear()

    @dbus.service.method('org.bluez.AdvertisementMonitorManager1', in_signature='o', sender_keyword='sender')
    def RegisterMonitor(self, path, sender=None):
        self.daemon.called('RegisterMonitor', str(path))
        app = self.daemon.bus.get_object(sender, path, introspect=False)
        app.GetManagedObjects(dbus_interface=MANAGER, reply_handler=lambda found: self.take(sender, found),
                              error_handler=lambda e: None)

    def take(self, sender, found):
        for path, interfaces in found.items():
            patterns = interfaces['org.bluez.AdvertisementMonitor1']['Patterns']
            wanted = {'%02x%02x' % (p[2][1], p[2][0]) for p in patterns}
            monitor = self.daemon.bus.get_object(sender, path, introspect=False)
            self.daemon.monitor = (monitor, wanted)


class BlueDevice(Thing):
    """org.bluez.Device1; the device's own life is in Device."""

    def __init__(self, daemon, device, interfaces):
        self.device = device
        super().__init__(daemon, device.path, interfaces)

    @dbus.service.method(DEVICE, async_callbacks=('good', 'bad'))
    def Connect(self, good, bad):
        self.daemon.called('Connect', self.device.address)
        if not self.device.on:
            bad(Failure('Failed', 'le-connection-abort-by-local'))
            return
        GLib.timeout_add(20, self.device.connect, good)

    @dbus.service.method(DEVICE)
    def Disconnect(self):
        self.device.disconnect()

    @dbus.service.method(DEVICE, async_callbacks=('good', 'bad'), sender_keyword='sender')
    def Pair(self, good, bad, sender=None):
        self.daemon.called('Pair', self.device.address)
        self.device.pair(sender, good, bad)


class Characteristic(Thing):
    def __init__(self, daemon, device, path, service, uuid, flags):
        self.device, self.uuid = device, uuid
        super().__init__(daemon, path, {CHARACTERISTIC: {
            'UUID': LONG % uuid.lower(), 'Service': dbus.ObjectPath(service),
            'Flags': dbus.Array(flags, signature='s'), 'Notifying': dbus.Boolean(False)}})

    @dbus.service.method(CHARACTERISTIC)
    def StartNotify(self):
        self.daemon.called('StartNotify', self.uuid)
        if self.interfaces[CHARACTERISTIC]['Notifying']:
            raise Failure('InProgress', 'Already notifying')
        self.put(CHARACTERISTIC, Notifying=dbus.Boolean(True))
        self.device.flush()

    @dbus.service.method(CHARACTERISTIC, in_signature='a{sv}', out_signature='ay')
    def ReadValue(self, options):
        self.daemon.called('ReadValue', self.uuid)
        value = octets(self.device.readable(self.uuid))
        self.put(CHARACTERISTIC, Value=value)
        return value

    @dbus.service.method(CHARACTERISTIC, in_signature='aya{sv}')
    def WriteValue(self, value, options):
        data = bytes(value)
        self.daemon.called('WriteValue', self.uuid, data.hex())
        self.device.written(self.uuid, data)


class Device:
    """A device on somebody's arm, and what bluetoothd knows of it."""

    def __init__(self, daemon, command):
        self.daemon, self.address = daemon, command['address']
        self.name, self.kind = command.get('name', command['kind']), command['kind']
        self.service, self.measures = KINDS[self.kind]
        self.extra = {k.upper(): bytes.fromhex(v) for k, v in command.get('read', {}).items()}
        self.passkey, self.refuses = command.get('passkey'), command.get('refuses', False)
        self.battery1 = command.get('battery1')
        self.eager = command.get('eager', False)
        self.path = '%s/dev_%s' % (ADAPTER_PATH, self.address.replace(':', '_'))
        self.host_bond = self.own_bond = False
        self.on, self.rssi, self.connected = False, -60, False
        self.queue, self.records, self.strip_after = [], [], None
        self.thing, self.characteristics = None, {}

    # ---- Radio

    def hear(self):
        """Called some times a second."""
        if not self.on or self.connected or not self.daemon.ready():
            return
        by_monitor = self.daemon.monitor is not None and self.service in self.daemon.monitor[1]
        if not by_monitor and not (self.daemon.discovering and self.service in self.daemon.filter):
            return
        self.appear()
        self.rssi += 1 if self.rssi % 2 else -1
        self.thing.put(DEVICE, RSSI=dbus.Int16(self.rssi))
        if by_monitor:
            self.daemon.monitor[0].DeviceFound(dbus.ObjectPath(self.path), dbus_interface='org.bluez.AdvertisementMonitor1',
                                               reply_handler=lambda *a: None, error_handler=lambda e: None)

    def unheard(self):
        if self.thing is not None and 'RSSI' in self.thing.interfaces[DEVICE]:
            self.thing.put(DEVICE, RSSI=None)

    def appear(self):
        if self.thing is not None:
            return
        interfaces = {DEVICE: {
            'Address': self.address, 'Name': self.name, 'Alias': self.name,
            'UUIDs': dbus.Array([LONG % self.service], signature='s'), 'Adapter': dbus.ObjectPath(ADAPTER_PATH),
            'Paired': dbus.Boolean(self.host_bond), 'Connected': dbus.Boolean(False),
            'ServicesResolved': dbus.Boolean(False), 'Trusted': dbus.Boolean(False)}}
        if self.battery1 is not None:
            interfaces['org.bluez.Battery1'] = {'Percentage': dbus.Byte(self.battery1)}
        self.thing = BlueDevice(self.daemon, self, interfaces)

    def disappear(self):
        for one in self.characteristics.values():
            one.remove()
        self.characteristics = {}
        if self.thing is not None:
            self.thing.remove()
        self.thing, self.connected = None, False

    # ---- Connection and bond

    def resolve(self):
        service = self.path + '/service0010'
        everything = self.measures + [(u, ['read', 'write'] if u in ('2A2B', '2A08') else ['read']) for u in self.extra]
        for i, (uuid, flags) in enumerate(everything):
            path = '%s/char%04x' % (service, 0x11 + 3 * i)
            if path not in self.characteristics:
                self.characteristics[path] = Characteristic(self.daemon, self, path, service, uuid, flags)
        self.thing.put(DEVICE, ServicesResolved=dbus.Boolean(True))

    def connect(self, good):
        if self.thing is None or not self.on:
            return False
        self.connected = True
        self.unheard()
        self.thing.put(DEVICE, Connected=dbus.Boolean(True))
        good()
        if self.host_bond and not self.own_bond:  # PIN or key missing
            GLib.timeout_add(40, self.disconnect)
            return False
        if self.eager:
            self.flush()
        GLib.timeout_add(30, self.resolved)
        return False

    def resolved(self):
        if self.connected and self.thing is not None:
            self.resolve()
            self.flush()
        return False

    def disconnect(self):
        if self.connected and self.thing is not None:
            self.connected = False
            self.thing.put(DEVICE, Connected=dbus.Boolean(False), ServicesResolved=dbus.Boolean(False))
        return False

    def bonded(self, good):
        self.host_bond = self.own_bond = True
        self.connected = True
        self.thing.put(DEVICE, Paired=dbus.Boolean(True), Connected=dbus.Boolean(True))
        good()
        GLib.timeout_add(30, self.resolved)
        return False

    def pair(self, sender, good, bad):
        def failed(error=None):
            bad(Failure('AuthenticationFailed'))

        def entered(passkey):
            if int(passkey) == self.passkey['number']:
                self.bonded(good)
            else:
                failed()

        if self.refuses or not self.on:
            GLib.timeout_add(20, failed)
            return
        if not self.passkey:
            GLib.timeout_add(20, self.bonded, good)
            return
        agent = dbus.Interface(self.daemon.bus.get_object(sender, self.daemon.agents[sender], introspect=False), 'org.bluez.Agent1')
        path, number = dbus.ObjectPath(self.path), dbus.UInt32(self.passkey['number'])
        if self.passkey['on'] == 'device':
            agent.RequestPasskey(path, reply_handler=entered, error_handler=failed)
        elif self.passkey['on'] == 'both':
            agent.RequestConfirmation(path, number, reply_handler=lambda: self.bonded(good), error_handler=failed)
        else:
            agent.DisplayPasskey(path, number, dbus.UInt16(0), reply_handler=lambda: None, error_handler=failed)
            self.typed = lambda: self.bonded(good)

    # ---- Values

    def flush(self):
        """What was measured goes to who subscribed; the rest waits on the device."""
        for uuid, data in list(self.queue):
            for one in self.characteristics.values():
                if one.uuid == uuid and self.connected and self.own_bond and one.interfaces[CHARACTERISTIC]['Notifying']:
                    self.queue.remove((uuid, data))
                    one.put(CHARACTERISTIC, Value=octets(data))

    def say(self, uuid, data):
        self.queue.append((uuid, data))
        self.flush()

    def readable(self, uuid):
        if not self.own_bond:
            raise Failure('NotPermitted', 'Operation failed with ATT error: 0x05')
        return self.extra[uuid]

    def written(self, uuid, data):
        if uuid in self.extra:
            self.extra[uuid] = data
        elif uuid == '2A52':
            GLib.timeout_add(10, self.racp, data)

    def racp(self, data):
        number = lambda record: record[1] | record[2] << 8
        kinds = {1: self.records, 6: self.records[-1:]}
        if data[0] == 3:
            self.say('2A52', bytes([6, 0, 3, 1]))
            return False
        chosen = kinds.get(data[1], [])
        if data[1] == 3:
            chosen = [r for r in self.records if number(r) >= (data[3] | data[4] << 8)]
        if data[0] == 4:
            self.say('2A52', bytes([5, 0, len(chosen) & 255, len(chosen) >> 8]))
            return False
        for i, record in enumerate(chosen):
            if self.strip_after is not None and i == self.strip_after:
                self.strip_after = None
                self.disconnect()
                return False
            self.say('2A18', record)
        self.say('2A52', bytes([6, 0, 1, 1 if chosen else 6]))
        return False


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
        device.say(command['uuid'], bytes.fromhex(command['hex']))

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
