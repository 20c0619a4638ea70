// A cluster of Debian's nats-server nodes as the broker, as station/hospital/nats-server.conf has them.

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './browser.mjs';
import { freePort, root, start, stop } from './station.mjs';

const template = readFileSync(join(root, 'station/hospital/nats-server.conf'), 'utf8');
// open: no names, no rules, WebSockets without TLS.
const fill = (values, open) => (open ? template.replace(/^authorization \{[^]*/m, '').replace('verify_and_map', 'verify').replace(/(websocket \{\s+listen.*\n)[^]*?\n  \}\n/, '$1  no_tls: true\n') : template)
  .replace(/@([A-Z_]+)@/g, (_, key) => values[key]);

// What nginx's certificate is called: no station can be.
export const BROWSERS = 'nhipcau browsers';
const permissions = (id) => `{ user: "CN=${id}", permissions: { publish: ["nhipcau.1.${id}.>"], subscribe: ["nhipcau.1.${id}.open.*", "nhipcau.1.${id}.in.*"] } }`;

const BROWSER = `{ user: "CN=${BROWSERS}", permissions: {
  publish: ["nhipcau.1.*.open.*", "nhipcau.1.*.in.*"], subscribe: ["nhipcau.1.*.presence", "nhipcau.1.*.ring.*", "nhipcau.1.*.out.*"] } }`;

export class NatsCluster {
  nodes = []; // { name, dir, broker, websocket, monitor, child, log }

  // server: {certificate, key} of the nodes; ca: of the stations; stations: their ids. open: without rules, for benches.
  static async start({ dir, ca, server, stations, count = 3, open = false }) {
    const self = new NatsCluster();
    const ports = async () => ({ client: await freePort(), monitor: await freePort(), route: await freePort(), broker: await freePort(), websocket: await freePort() });
    for (let i = 0; i < count; i++) self.nodes.push({ name: `node-${i + 1}`, dir: join(dir, `node-${i + 1}`), ...await ports() });
    const routes = self.nodes.map(({ route }) => `"nats-route://127.0.0.1:${route}"`).join(', ');
    for (const node of self.nodes) {
      mkdirSync(node.dir, { recursive: true });
      const file = (name) => join(node.dir, name);
      copyFileSync(server.certificate, file('broker.crt'));
      copyFileSync(server.key, file('broker.key'));
      copyFileSync(ca, file('stations-ca.crt'));
      writeFileSync(file('users.conf'), `users: [\n${[BROWSER, ...stations.map(permissions)].join('\n')}\n]\n`);
      writeFileSync(file('nats-server.conf'), fill({ NODE: node.name, FOLDER: node.dir, CLIENT_PORT: node.client, MONITOR_PORT: node.monitor, CLUSTER_LISTEN: `127.0.0.1:${node.route}`,
        BROKER_LISTEN: `127.0.0.1:${node.broker}`, WEBSOCKET_LISTEN: `127.0.0.1:${node.websocket}`, ROUTES: routes }, open));
      self.run(node);
    }
    try {
      await self.ready();
    } catch (error) {
      await self.end();
      throw error;
    }
    return self;
  }

  run(node) {
    const child = node.child = start('prlimit', ['--nofile=20000', 'nats-server', '-c', join(node.dir, 'nats-server.conf')]);
    node.log = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => { node.log = (node.log + bytes).slice(-200_000); });
  }

  // Until every node that runs says that it is well, and one of them leads.
  async ready(seconds = 60) {
    const running = () => this.nodes.filter(({ child }) => child.exitCode === null && child.signalCode === null);
    const ask = async (node, path) => (await fetch(`http://127.0.0.1:${node.monitor}${path}`)).json();
    await eventually(async () => {
      if (running().length === 0) return false;
      for (const node of running()) {
        if ((await ask(node, '/healthz')).status !== 'ok') return false;
        const { meta_cluster: meta } = await ask(node, '/jsz');
        if (!meta?.leader || meta.cluster_size !== this.nodes.length) return false;
      }
      return true;
    }, seconds, 'the cluster is well').catch((error) => {
      throw new Error(`${error.message}\n${this.nodes.map(({ name, log }) => `${name}: ${log.slice(-1500)}`).join('\n')}`);
    });
  }

  node(broker) { return this.nodes.find((one) => broker.endsWith(`:${one.broker}`)); }

  // As a power cut does.
  async kill(node) {
    const gone = new Promise((done) => node.child.once('exit', done));
    node.child.kill('SIGKILL');
    await gone;
  }

  async end() { await Promise.all(this.nodes.map(({ child }) => stop(child, 2))); }
}
