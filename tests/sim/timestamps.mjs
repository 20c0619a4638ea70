// A time-stamping authority (RFC 3161 §3.4) that answers by `openssl ts`. Its manners can be changed
// while it runs: down (the connection is cut), broken (nonsense), stale (the answer to the query before).

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export async function timestampAuthority(pki, config = 'tsa.cnf') {
  const work = mkdtempSync(join(tmpdir(), 'timestamps-'));
  // env: of the openssl that answers (a clock of its own).
  const authority = { manner: 'good', config, queries: 0, answers: 0, env: {} };
  let last = null;
  const reply = (query) => {
    writeFileSync(join(work, 'query.tsq'), query);
    execFileSync('openssl', ['ts', '-reply', '-config', join(pki, authority.config),
      '-queryfile', join(work, 'query.tsq'), '-out', join(work, 'reply.tsr')], { stdio: 'pipe', env: { ...process.env, ...authority.env } });
    return readFileSync(join(work, 'reply.tsr'));
  };
  const server = createServer((request, response) => {
    authority.queries++;
    if (authority.manner === 'down') return request.socket.destroy();
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      if (request.method !== 'POST' || request.headers['content-type'] !== 'application/timestamp-query')
        return response.writeHead(415).end();
      const now = reply(Buffer.concat(parts));
      const body = authority.manner === 'broken' ? Buffer.from('nonsense')
        : authority.manner === 'stale' && last ? last : now;
      last = now;
      authority.answers++;
      response.writeHead(200, { 'content-type': 'application/timestamp-reply' }).end(body);
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  authority.url = `http://127.0.0.1:${server.address().port}/tsa`;
  authority.close = () => new Promise((done) => server.close(() => { rmSync(work, { recursive: true }); done(); }));
  return authority;
}
