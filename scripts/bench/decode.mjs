/**
 * `node scripts/bench/decode.mjs`, after `npm run build`: what it takes to decode one datagram of a kind, from bytes to
 * records, on datagrams that Open vSwitch sent (test/fixtures). Each kind in a process of its own.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { IpfixDecoder } from '../../dist/ipfix/decoder.js';
import { decodeNetflow5 } from '../../dist/netflow/netflow5.js';
import { decodeSflow } from '../../dist/sflow/datagram.js';
import { median, printRatio } from './measure.mjs';

const ROUNDS = 15;
const DATAGRAMS_IN_A_ROUND = 20_000;

/** What is published of goflow, for a packet of NetFlow or IPFIX and of sFlow: measured elsewhere, on another machine. */
const KINDS = {
  'netflow5, 30 records': { prepare: fullNetflow, publishedUs: 25 },
  'ipfix, 1 record of up to 64 elements': { prepare: ipfixFlows, publishedUs: 25 },
  'ipfix, 5 records, an MTU full': { prepare: fullIpfix, publishedUs: 25 },
  'sflow, 6 packet samples': { prepare: sflowSamples, publishedUs: 75 },
  'sflow, 3 counter samples': { prepare: sflowCounters, publishedUs: 75 },
};

const [, , kind] = process.argv;
if (kind === undefined) measureAll();
else console.log(String(measureOne(KINDS[kind].prepare())));

function measureAll() {
  console.log(
    `median of ${ROUNDS} rounds of ${DATAGRAMS_IN_A_ROUND} datagrams; processor time; goflow's figures are of another machine`,
  );
  for (const [name, { publishedUs }] of Object.entries(KINDS)) {
    const us = Number(
      execFileSync(process.execPath, [fileURLToPath(import.meta.url), name], { encoding: 'utf8' }),
    );
    console.log(`  ${name.padEnd(38)} ${us.toFixed(2).padStart(6)} µs a datagram`);
    printRatio(`  ${name} / goflow's ${publishedUs} µs`, us, publishedUs, '< 1');
  }
}

/** @returns microseconds for each datagram */
function measureOne({ datagrams, decode }) {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const start = process.cpuUsage();
    for (let count = 0; count < DATAGRAMS_IN_A_ROUND; count++) {
      if (decode(datagrams[count % datagrams.length]).outcome !== 'decoded') throw new Error('malformed');
    }
    // The processor's time, garbage collection included, so that others on the machine do not count.
    const { user, system } = process.cpuUsage(start);
    return (user + system) / DATAGRAMS_IN_A_ROUND;
  });
  return median(rounds);
}

function fullNetflow() {
  const datagrams = read('netflow/ovs-3.1.0-many.hex').filter((datagram) => datagram.readUInt16BE(2) === 30);
  return { datagrams, decode: decodeNetflow5 };
}

function ipfixFlows() {
  const { decode, flows } = primedIpfix();
  return { datagrams: flows, decode };
}

/** The sets of several captured messages in one, as exporters send that do not stop at one record. */
function fullIpfix() {
  const { decode, flows } = primedIpfix();
  const sets = Array.from({ length: 5 }, (_, index) => flows[index % flows.length].subarray(16));
  const datagram = Buffer.concat([flows[0].subarray(0, 16), ...sets]);
  datagram.writeUInt16BE(datagram.length, 2);
  return { datagrams: [datagram], decode };
}

function primedIpfix() {
  const decoder = new IpfixDecoder();
  const decode = (datagram) => decoder.decode(datagram, 'exporter');
  const flows = read('ipfix/ovs-3.1.0-flows.hex').filter(
    (datagram) => decode(datagram).message.records.length === 1,
  );
  return { decode, flows };
}

function sflowSamples() {
  const datagrams = read('sflow/ovs-3.1.0-samples.hex').filter(
    (datagram) => decodeSflow(datagram).datagram.flowSamples.length === 6,
  );
  return { datagrams, decode: decodeSflow };
}

function sflowCounters() {
  const datagrams = read('sflow/ovs-3.1.0-samples.hex').filter(
    (datagram) => decodeSflow(datagram).datagram.counterSamples.length === 3,
  );
  return { datagrams, decode: decodeSflow };
}

function read(path) {
  const lines = readFileSync(join(import.meta.dirname, '../../test/fixtures', path), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => Buffer.from(line, 'hex'));
}
