// The provider of oidc.mjs as a program of its own, for a network namespace: DIR ADDRESS PORT ORIGIN. Says "ready" with its issuer
// and its authority; ends when it is told to.

import { hospitalProvider } from './oidc.mjs';

const [dir, address, port, origin] = process.argv.slice(2);
const provider = await hospitalProvider(dir, () => origin, { address, port: Number(port) });
console.log(`ready ${JSON.stringify({ issuer: provider.issuer, ca: provider.ca })}`);
