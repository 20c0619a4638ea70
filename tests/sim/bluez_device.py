"""A health device on somebody's arm, and what bluetoothd knows of it."""
import dbus
from gi.repository import GLib

from bluez_objects import (ADAPTER_PATH, CHARACTERISTIC, DEVICE, BlueDevice, Characteristic, Failure,
                           advertised, octets, whole)

# service, then its characteristics: UUID and what can be done with it
KINDS = {
    'cuff': ('1810', [('2A35', ['indicate'])]),
    'oximeter': ('1822', [('2A5F', ['notify'])]),
    'spot': ('1822', [('2A5E', ['indicate'])]),
    'nonin': ('46a970e0-0d5f-11e2-8b5e-0002a5d5c51b', [('0AAD7EA0-0D60-11E2-8E3C-0002A5D5C51B', ['notify'])]),
    'both': ('46a970e0-0d5f-11e2-8b5e-0002a5d5c51b', [('2A5F', ['notify']), ('0AAD7EA0-0D60-11E2-8E3C-0002A5D5C51B', ['notify'])]),
    'thermometer': ('1809', [('2A1C', ['indicate'])]),
    'scale': ('181d', [('2A9D', ['indicate'])]),
    'belt': ('180d', [('2A37', ['notify'])]),
    'glucometer': ('1808', [('2A18', ['notify']), ('2A34', ['notify']), ('2A52', ['write', 'indicate'])]),
}


class Device:
    """A device on somebody's arm, and what bluetoothd knows of it."""

    def __init__(self, daemon, command):
        self.daemon, self.address = daemon, command['address']
        self.name, self.kind = command.get('name', command['kind']), command['kind']
        self.service, self.measures = KINDS[self.kind]
        self.extra = {k.upper(): bytes.fromhex(v) for k, v in command.get('read', {}).items()}
        self.passkey, self.refuses = command.get('passkey'), command.get('refuses', False)
        self.battery1 = command.get('battery1')
        self.hidden = command.get('hidden', False)
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
        by_monitor = self.daemon.monitor is not None and advertised(self.service) in self.daemon.monitor[1]
        if not by_monitor and not (self.daemon.discovering and whole(self.service) in self.daemon.filter):
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
            'UUIDs': dbus.Array([whole(self.service)], signature='s'), 'Adapter': dbus.ObjectPath(ADAPTER_PATH),
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
        self.thing, self.connected, self.hidden = None, False, False

    # ---- Connection and bond

    def resolve(self):
        if self.hidden:  # bluetoothd remembers another firmware's services
            self.thing.put(DEVICE, ServicesResolved=dbus.Boolean(True))
            return
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

    def say(self, uuid, data, now=False):
        """now: of no use later; nothing waits on the device."""
        if not now or self.connected:
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
