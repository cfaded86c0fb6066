import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import {
  conversationsCsvHeader,
  CONVERSATIONS_FIELDS,
  renderConversationsCsv,
  renderConversationsNdjson,
} from '../../../src/output/conversationsrecords.ts';
import { renderConversationsTable } from '../../../src/output/conversationstable.ts';
import type { Conversation } from '../../../src/traffic/conversations/conversations.ts';
import type { ConversationsView } from '../../../src/traffic/conversations/conversationsview.ts';

const AT = new Date('2026-11-24T12:00:00.000Z');
const DNS: Conversation = {
  bridge: 'br0',
  from: { vm: 'web1', nic: '0', topology: 'lab', network: 'web' },
  to: 'uplink',
  protocol: 17,
  protocolName: 'udp',
  source: '10.0.0.1',
  destination: '10.0.0.2',
  sourcePort: 40_000,
  destinationPort: 53,
  packets: 5n,
  bytes: 2n ** 60n,
  packetsPerSecond: 1.23456,
  bitsPerSecond: 5352,
  quality: 'exact',
  ageMs: 12.3,
  firstSeen: new Date('2026-11-24T11:59:00.000Z'),
  lastSeen: new Date('2026-11-24T11:59:59.500Z'),
};
const GRE: Conversation = {
  ...DNS,
  protocol: 47,
  protocolName: 'gre',
  sourcePort: undefined,
  destinationPort: undefined,
  bytes: 1000n,
  quality: 'sampled 1:400',
};
const PING: Conversation = {
  ...DNS,
  protocol: 58,
  protocolName: 'icmp6',
  source: 'fd00::1',
  destination: 'fd00::2',
  sourcePort: 128,
  destinationPort: 0,
  bytes: 118n,
  quality: 'at-least',
};
const VIEW: ConversationsView = {
  view: 'conversations',
  at: AT,
  bridges: ['br0'],
  conversations: [DNS, GRE, PING],
  leftOut: { conversations: 12, packets: 20n, bytes: 3400n },
  sources: [],
};
const PLAIN = { width: undefined, colour: false };

describe('conversations as records', () => {
  it('are NDJSON with who and whom as in pairs, all digits, and nothing where nothing is known', () => {
    const [dns, gre] = renderConversationsNdjson(VIEW).split('\n');
    expect(dns).to.equal(
      '{"at":"2026-11-24T12:00:00.000Z","from":{"vm":"web1","nic":0},"to":"uplink",' +
        '"protocol":"udp","protocolNumber":17,"source":"10.0.0.1","sourcePort":40000,' +
        '"destination":"10.0.0.2","destinationPort":53,"packets":5,"bytes":1152921504606846976,' +
        '"packetsPerSecond":1.235,"bitsPerSecond":5352,"quality":"exact","bridge":"br0","ageMs":12,' +
        '"firstSeen":"2026-11-24T11:59:00.000Z","lastSeen":"2026-11-24T11:59:59.500Z"}',
    );
    expect(JSON.parse(gre ?? ''))
      .to.include({ quality: 'sampled 1:400' })
      .and.not.have.property('sourcePort');
  });

  it('are CSV with a field for each name', () => {
    expect(conversationsCsvHeader()).to.equal(`${CONVERSATIONS_FIELDS.join(',')}\r\n`);
    const lines = renderConversationsCsv(VIEW).split('\r\n').slice(0, -1);
    expect(lines).to.have.length(3);
    for (const line of lines) expect(line.split(',')).to.have.length(CONVERSATIONS_FIELDS.length);
    expect(lines[0]).to.match(/^2026-11-24T12:00:00\.000Z,web1,0,uplink,,udp,17,10\.0\.0\.1,40000,/);
  });

  it('have their fields described in docs/watch.md, in order, and no others', () => {
    const text = readFileSync(new URL('../../../docs/watch.md', import.meta.url), 'utf8');
    const section = /\n## Conversations\n([^]*?)\n## /.exec(text)?.[1] ?? '';
    const rows = section.split('\n').filter((line) => /^\| +`/.test(line));
    const described = rows.flatMap((row) =>
      Array.from(row.split('|')[1]?.matchAll(/`(\w+)`/g) ?? [], ([, name]) => name),
    );
    expect(described).to.deep.equal([...CONVERSATIONS_FIELDS]);
  });
});

describe('conversations as a table', () => {
  it('shows who, whom, addresses and ports, and how good a figure is', () => {
    const [head, titles, dns, gre, ping] = renderConversationsTable(VIEW, PLAIN);
    expect(head).to.equal('12:00:00Z  1 bridge  3 conversations  16.1k bit/s  and 12 smaller with 3.40 kB');
    expect(titles).to.match(/^FROM +TO +PROTO +SOURCE +DESTINATION +bit\/s +pkt\/s +BYTES +PACKETS +BRIDGE$/);
    expect(dns).to.match(
      /^web1:0 +uplink +udp +10\.0\.0\.1:40000 +10\.0\.0\.2:53 +5\.35k .* 1\.15 EB +5 +br0$/,
    );
    expect(gre).to.match(/ gre +10\.0\.0\.1 +10\.0\.0\.2 .* ~1\.00 kB +~5 /);
    expect(ping).to.match(/ icmp6 128\/0 +fd00::1 +fd00::2 .* ≥118 B +≥5 /);
  });

  it('is never wider than the terminal, and keeps whom and how fast longest', () => {
    for (let width = 20; width <= 120; width++)
      for (const line of renderConversationsTable(VIEW, { width, colour: false }))
        expect(line.length).to.be.at.most(width);
    const narrow = renderConversationsTable(VIEW, { width: 45, colour: false })[1];
    expect(narrow).to.match(/^FROM +TO +DESTINATION +bit\/s$/);
  });
});
