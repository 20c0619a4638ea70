#!/usr/bin/python3
"""A camera that turns, as ONVIF sees it: SOAP over HTTP, a virtual head with limits, and the ways of
such cameras: a clock of another year, HTTP digest instead of tokens, no GetServices, answers that
come late or never, no PTZ at all, addresses of another network in its answers.

Usage: onvif.py PORT [--user U --password P] [--quirk NAME]…; prints "ready" when it listens.
Quirks: digest, old, no-ptz, wrong-clock, deaf (takes requests, never answers).
GET /sim tells what it did as JSON; POST /sim {"slow": seconds, "deaf": bool} changes it.
"""
import argparse
import base64
import hashlib
import json
import secrets
import threading
import time
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.etree import ElementTree

SOAP = 'http://www.w3.org/2003/05/soap-envelope'
TT = 'http://www.onvif.org/ver10/schema'
TER = 'http://www.onvif.org/ver10/error'
SPACES = {'tds': 'http://www.onvif.org/ver10/device/wsdl', 'trt': 'http://www.onvif.org/ver10/media/wsdl',
          'tptz': 'http://www.onvif.org/ver20/ptz/wsdl'}
SPEED = 0.5  # of the range in a second, at full velocity
PRESETS = {'1': ('Giường bệnh', (0.5, -0.25, 0.3)), '2': ('Cửa', (-0.5, 0.0, 0.0))}


class Fault(Exception):
    def __init__(self, code, words):
        super().__init__(words)
        self.code, self.words = code, words


class Head:
    """Pan, tilt and zoom, moved by time; who asks finds it where it would be by now."""

    def __init__(self):
        self.at, self.velocity = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]
        self.until, self.now, self.target = None, time.monotonic(), None
        self.lock = threading.Lock()

    def advance(self):
        now = time.monotonic()
        end = now if self.until is None else min(now, self.until)
        passed = max(0.0, end - self.now)
        for i, low in enumerate((-1, -1, 0)):
            if self.target is not None:
                step = SPEED * (now - self.now)
                self.at[i] += max(-step, min(step, self.target[i] - self.at[i]))
            self.at[i] = max(low, min(1.0, self.at[i] + self.velocity[i] * SPEED * passed))
        if self.until is not None and now >= self.until:
            self.velocity, self.until = [0.0, 0.0, 0.0], None
        if self.target is not None and all(abs(a - b) < 1e-6 for a, b in zip(self.at, self.target)):
            self.target = None
        self.now = now

    def moving(self):
        return self.target is not None or any(self.velocity)

    def move(self, velocity, seconds):
        self.advance()
        self.velocity, self.target = velocity, None
        self.until = time.monotonic() + seconds

    def stop(self):
        self.advance()
        self.velocity, self.target, self.until = [0.0, 0.0, 0.0], None, None

    def go(self, target):
        self.stop()
        self.target = [max(low, min(1.0, x)) for x, low in zip(target, (-1, -1, 0))]


class Camera:
    def __init__(self, options):
        self.user, self.password = options.user, options.password
        self.quirks, self.port = set(options.quirk), options.port
        self.head, self.log, self.slow = Head(), [], 0.0
        self.used, self.nonces = set(), set()

    def clock(self):
        lag = timedelta(days=700) if 'wrong-clock' in self.quirks else timedelta()
        return datetime.now(timezone.utc) - lag

    # ---- Who asks

    def check_token(self, header):
        space = '{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}'
        utility = '{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}'
        token = header.find(f'.//{space}UsernameToken') if header is not None else None
        if token is None:
            raise Fault('NotAuthorized', 'Sender not authorized')
        created, nonce = token.findtext(f'{utility}Created'), token.findtext(f'{space}Nonce')
        digest = hashlib.sha1(base64.b64decode(nonce) + created.encode() + self.password.encode()).digest()
        at = datetime.fromisoformat(created.replace('Z', '+00:00'))
        fresh = abs((at - self.clock()).total_seconds()) < 5 and nonce not in self.used
        self.used.add(nonce)
        if (token.findtext(f'{space}Username') != self.user or not fresh
                or token.findtext(f'{space}Password') != base64.b64encode(digest).decode()):
            raise Fault('NotAuthorized', 'Sender not authorized')

    def check_digest(self, method, path, header):
        """RFC 7616 with MD5 and qop=auth; True: let in."""
        if not header or not header.startswith('Digest '):
            return False
        parts = {}
        for part in header[7:].split(','):
            key, _, value = part.strip().partition('=')
            parts[key] = value.strip('"')
        if parts.get('nonce') not in self.nonces or parts.get('username') != self.user:
            return False
        def md5(text):
            return hashlib.md5(text.encode()).hexdigest()
        first = md5(f'{self.user}:{parts["realm"]}:{self.password}')
        second = md5(f'{method}:{path}')
        return parts.get('response') == md5(':'.join(
            (first, parts['nonce'], parts['nc'], parts['cnonce'], parts['qop'], second)))

    # ---- What it answers

    def answer(self, text):
        envelope = ElementTree.fromstring(text)
        header, body = envelope.find(f'{{{SOAP}}}Header'), envelope.find(f'{{{SOAP}}}Body')
        request = body[0]
        space, _, name = request.tag[1:].partition('}')
        if space not in SPACES.values():
            raise Fault('ActionNotSupported', 'Unknown action')
        if name != 'GetSystemDateAndTime' and self.user and 'digest' not in self.quirks:
            self.check_token(header)
        self.log.append(name)
        method = getattr(self, f'on_{name}', None)
        if method is None:
            raise Fault('ActionNotSupported', f'{name} is not implemented')
        with self.head.lock:
            return method(request, space)

    def on_GetSystemDateAndTime(self, request, space):
        now = self.clock()
        return (f'<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime><tt:Time>'
                f'<tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute><tt:Second>{now.second}</tt:Second>'
                f'</tt:Time><tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month>'
                f'<tt:Day>{now.day}</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime>'
                f'</tds:GetSystemDateAndTimeResponse>')

    # The camera knows only its own network's address.
    def on_GetServices(self, request, space):
        if 'old' in self.quirks:
            raise Fault('ActionNotSupported', 'Optional Action Not Implemented')
        places = [('tds', 'device_service'), ('trt', 'media_service')]
        if 'no-ptz' not in self.quirks:
            places.append(('tptz', 'ptz_service'))
        return '<tds:GetServicesResponse>' + ''.join(
            f'<tds:Service><tds:Namespace>{SPACES[p]}</tds:Namespace><tds:XAddr>http://192.0.2.1/onvif/{path}'
            f'</tds:XAddr></tds:Service>' for p, path in places) + '</tds:GetServicesResponse>'

    def on_GetCapabilities(self, request, space):
        ptz = '' if 'no-ptz' in self.quirks else '<tt:PTZ><tt:XAddr>http://192.0.2.1/onvif/ptz_service</tt:XAddr></tt:PTZ>'
        return ('<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Media><tt:XAddr>http://192.0.2.1/onvif/media_service'
                f'</tt:XAddr></tt:Media>{ptz}</tds:Capabilities></tds:GetCapabilitiesResponse>')

    def on_GetProfiles(self, request, space):
        return ('<trt:GetProfilesResponse><trt:Profiles token="fixed"><tt:Name>fixed</tt:Name></trt:Profiles>'
                '<trt:Profiles token="main &amp; 1"><tt:Name>main</tt:Name><tt:PTZConfiguration token="ptz0"/>'
                '</trt:Profiles></trt:GetProfilesResponse>')

    def on_GetPresets(self, request, space):
        self.profile(request, space)
        return '<tptz:GetPresetsResponse>' + ''.join(
            f'<tptz:Preset token="{token}"><tt:Name>{name}</tt:Name></tptz:Preset>'
            for token, (name, _) in PRESETS.items()) + '</tptz:GetPresetsResponse>'

    def profile(self, request, space):
        if request.findtext(f'{{{space}}}ProfileToken') != 'main & 1':
            raise Fault('InvalidArgVal', 'No such profile')

    @staticmethod
    def vector(element):
        turn, zoom = element.find(f'{{{TT}}}PanTilt'), element.find(f'{{{TT}}}Zoom')
        numbers = [float(turn.get('x')), float(turn.get('y'))] if turn is not None else [0.0, 0.0]
        numbers.append(float(zoom.get('x')) if zoom is not None else 0.0)
        if any(abs(x) > 1 for x in numbers):
            raise Fault('InvalidVelocity', 'Out of range')
        return numbers

    def on_ContinuousMove(self, request, space):
        self.profile(request, space)
        seconds = float(request.findtext(f'{{{space}}}Timeout')[2:-1])
        self.head.move(self.vector(request.find(f'{{{space}}}Velocity')), seconds)
        return '<tptz:ContinuousMoveResponse/>'

    def on_RelativeMove(self, request, space):
        self.profile(request, space)
        step = self.vector(request.find(f'{{{space}}}Translation'))
        self.head.advance()
        self.head.go([a + b for a, b in zip(self.head.at, step)])
        return '<tptz:RelativeMoveResponse/>'

    def on_GotoPreset(self, request, space):
        self.profile(request, space)
        self.head.go(PRESETS[request.findtext(f'{{{space}}}PresetToken')][1])
        return '<tptz:GotoPresetResponse/>'

    def on_Stop(self, request, space):
        self.profile(request, space)
        self.head.stop()
        return '<tptz:StopResponse/>'

    def on_GetStatus(self, request, space):
        self.profile(request, space)
        self.head.advance()
        pan, tilt, zoom = self.head.at
        word = 'MOVING' if self.head.moving() else 'IDLE'
        return (f'<tptz:GetStatusResponse><tptz:PTZStatus><tt:Position><tt:PanTilt x="{pan:.4f}" y="{tilt:.4f}"/>'
                f'<tt:Zoom x="{zoom:.4f}"/></tt:Position><tt:MoveStatus><tt:PanTilt>{word}</tt:PanTilt>'
                f'<tt:Zoom>{word}</tt:Zoom></tt:MoveStatus></tptz:PTZStatus></tptz:GetStatusResponse>')


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        pass

    def reply(self, status, kind, text, **headers):
        data = text.encode()
        self.send_response(status)
        for key, value in {'Content-Type': kind, 'Content-Length': str(len(data)), **headers}.items():
            self.send_header(key.replace('_', '-'), value)
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        camera = self.server.camera
        with camera.head.lock:
            camera.head.advance()
            pan, tilt, zoom = camera.head.at
            told = {'pan': pan, 'tilt': tilt, 'zoom': zoom, 'moving': camera.head.moving(), 'log': camera.log}
        self.reply(200, 'application/json', json.dumps(told))

    def do_POST(self):
        camera = self.server.camera
        body = self.rfile.read(int(self.headers['Content-Length']))
        if self.path == '/sim':
            wanted = json.loads(body)
            camera.slow = wanted.get('slow', camera.slow)
            if 'deaf' in wanted:
                (camera.quirks.add if wanted['deaf'] else camera.quirks.discard)('deaf')
            self.reply(200, 'application/json', '{}')
            return
        if 'deaf' in camera.quirks:
            while 'deaf' in camera.quirks:
                time.sleep(0.2)
            self.close_connection = True
            return
        if 'digest' in camera.quirks and not camera.check_digest('POST', self.path, self.headers['Authorization']):
            nonce = secrets.token_hex(16)
            camera.nonces.add(nonce)
            self.reply(401, 'text/plain', '', WWW_Authenticate=f'Digest realm="camera", qop="auth", nonce="{nonce}", algorithm=MD5')
            return
        time.sleep(camera.slow)
        spaces = ' '.join(f'xmlns:{p}="{u}"' for p, u in {**SPACES, 'env': SOAP, 'tt': TT, 'ter': TER}.items())
        try:
            status, inside = 200, camera.answer(body)
        except Fault as fault:
            status = 400
            inside = (f'<env:Fault><env:Code><env:Value>env:Sender</env:Value><env:Subcode><env:Value>ter:{fault.code}'
                      f'</env:Value></env:Subcode></env:Code><env:Reason><env:Text xml:lang="en">{fault.words}'
                      f'</env:Text></env:Reason></env:Fault>')
        self.reply(status, 'application/soap+xml; charset=utf-8',
                   f'<?xml version="1.0" encoding="UTF-8"?>\n<env:Envelope {spaces}><env:Body>{inside}</env:Body></env:Envelope>')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('port', type=int)
    parser.add_argument('--user')
    parser.add_argument('--password')
    parser.add_argument('--quirk', action='append', default=[])
    options = parser.parse_args()
    server = ThreadingHTTPServer(('127.0.0.1', options.port), Handler)
    server.daemon_threads = True
    server.camera = Camera(options)
    print('ready', flush=True)
    server.serve_forever()


main()
