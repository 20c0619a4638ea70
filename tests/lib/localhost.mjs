// "localhost" without a resolver (RFC 6761 §6.3): a bare system may have no /etc/hosts.

import dns from 'node:dns';

// The `lookup` option of node:net.
export function lookup(host, options, done) {
  if (host !== 'localhost') return dns.lookup(host, options, done);
  const found = { address: '127.0.0.1', family: 4 };
  return options.all ? done(null, [found]) : done(null, found.address, found.family);
}
