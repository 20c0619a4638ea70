"""The objects of BlueZ (doc/*-api.txt) that a client of GATT sees, on a bus of the tests."""
import dbus
import dbus.service
from gi.repository import GLib

NAME, ADAPTER_PATH = 'org.bluez', '/org/bluez/hci0'
PROPERTIES, MANAGER = 'org.freedesktop.DBus.Properties', 'org.freedesktop.DBus.ObjectManager'
ADAPTER, DEVICE = 'org.bluez.Adapter1', 'org.bluez.Device1'
SERVICE, CHARACTERISTIC = 'org.bluez.GattService1', 'org.bluez.GattCharacteristic1'
LONG = '0000%s-0000-1000-8000-00805f9b34fb'


def whole(uuid):
    """The long form of a UUID in either."""
    return uuid.lower() if len(uuid) > 4 else LONG % uuid.lower()


def advertised(uuid):
    """As it stands in an advertisement."""
    return bytes.fromhex(uuid.replace('-', ''))[::-1]


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
        self.daemon.filter = {str(u) for u in wanted.get('UUIDs', [])}

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
            wanted = {bytes(p[2]) for p in patterns if p[1] in ((2, 3) if len(p[2]) == 2 else (6, 7))}
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
            'UUID': whole(uuid), 'Service': dbus.ObjectPath(service),
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
