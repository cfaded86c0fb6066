import { expect } from 'chai';
import { renderWatchCsv, watchCsvHeader } from '../../../src/output/watchcsv.ts';
import { renderFrame } from '../../../src/output/watchframe.ts';
import { renderWatchNdjson } from '../../../src/output/watchndjson.ts';
import { WATCH_FIELDS } from '../../../src/output/watchrecords.ts';
import { renderWatchTable } from '../../../src/output/watchtable.ts';
import { fail } from '../../../src/errors.ts';
import type { PortRow } from '../../../src/traffic/attribute.ts';
import { NOT_MEASURED, type Measured } from '../../../src/traffic/figures.ts';
import type { NicIdentity } from '../../../src/traffic/switchports.ts';
import { toView, type View, type ViewName } from '../../../src/traffic/views.ts';
import { switchPort } from '../traffic/samples.ts';

const MEASURED: Measured = {
  sentBytes: 2n ** 64n - 2n,
  receivedBytes: 1500n,
  sentPackets: 12n,
  receivedPackets: 1n,
  sentDropped: 0n,
  receivedDropped: 4n,
  sentErrors: undefined,
  receivedErrors: undefined,
  hostLossPackets: undefined,
  sentBitsPerSecond: 1_250_000.12345,
  receivedBitsPerSecond: 0,
  sentPacketsPerSecond: 96,
  receivedPacketsPerSecond: undefined,
  quality: 'exact',
  ageMs: 1.6,
  discontinuity: undefined,
};
const WEB1 = { vm: 'web1', nic: '0', topology: 'two-tier', network: 'web' } as const;

describe('watch as NDJSON', () => {
  it('is one object per line, with all digits of a counter and without what is unknown', () => {
    const text = renderWatchNdjson(view('ports', row(1, WEB1)));
    expect(text).to.equal(
      '{"at":"2026-11-22T16:45:52.000Z","kind":"port","topology":"two-tier","vm":"web1","nic":"0","network":"web",' +
        '"bridge":"br0","port":"p1","sentBytes":18446744073709551614,"receivedBytes":1500,"sentPackets":12,' +
        '"receivedPackets":1,"sentDropped":0,"receivedDropped":4,"sentBitsPerSecond":1250000.123,' +
        '"receivedBitsPerSecond":0,"sentPacketsPerSecond":96,"quality":"exact","ageMs":2}\n',
    );
    expect(JSON.parse(text)).to.have.property('receivedBytes', 1500);
  });

  it('has a line for the sum of each VM, before its NICs', () => {
    const lines = renderWatchNdjson(view('vms', row(1, WEB1), row(2, { ...WEB1, nic: '1' }), row(3)))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ kind, nic, nics }) => [kind, nic, nics])).to.deep.equal([
      ['vm', undefined, 2],
      ['nic', '0', undefined],
      ['nic', '1', undefined],
    ]);
    expect(lines[0]).to.deep.include({ vm: 'web1', receivedBytes: 3000, receivedDropped: 8 });
  });

  it('is empty where there is nothing', () => {
    expect(renderWatchNdjson(view('vms'))).to.equal('');
  });

  it('escapes names', () => {
    const text = renderWatchNdjson(view('ports', row(1, { ...WEB1, vm: 'a"b\n' })));
    expect(text.split('\n').length).to.equal(2);
    expect(JSON.parse(text)).to.have.property('vm', 'a"b\n');
  });
});

describe('watch as CSV', () => {
  it('has as many fields in every line as in the header', () => {
    const lines = renderWatchCsv(view('vms', row(1, WEB1))).split('\r\n');
    expect(lines.pop()).to.equal('');
    expect(lines.length).to.equal(2);
    for (const line of [watchCsvHeader('ports').trimEnd(), ...lines]) {
      expect(line.split(',').length, line).to.equal(WATCH_FIELDS.length);
    }
  });

  it('quotes commas, quotes and line breaks, and leaves the unknown empty', () => {
    const text = renderWatchCsv(view('ports', { ...row(1, { ...WEB1, vm: 'a,"b"' }), ...NOT_MEASURED }));
    expect(text).to.equal(
      '2026-11-22T16:45:52.000Z,port,two-tier,"a,""b""",0,,web,br0,p1,,,,,,,,,,,,,,,,,\r\n',
    );
  });
});

describe('watch as a table', () => {
  it('shows figures with prefixes, the unknown as "-", and a head with the sum', () => {
    expect(
      renderWatchTable(view('vms', row(1, WEB1), row(3)), { width: undefined, colour: false }),
    ).to.deep.equal([
      '16:45:52Z  1 bridge  1 VM  sent 1.25M bit/s  received 0 bit/s',
      'VM    NIC    NETWORK  BRIDGE  PORT  SENT bit/s  RECEIVED bit/s  SENT pkt/s  RECEIVED pkt/s     SENT  RECEIVED  DROPPED  ERRORS',
      'web1  total                              1.25M               0          96               -  18.4 EB   1.50 kB      0/4       -',
      'web1  0      web      br0     p1         1.25M               0          96               -  18.4 EB   1.50 kB      0/4       -',
    ]);
  });

  it('shows ports that are no NICs in the view of ports', () => {
    const lines = renderWatchTable(view('ports', row(1)), { width: undefined, colour: false });
    expect(lines[2]).to.match(/^- +br0 +p1 /);
  });

  it('is never wider than the terminal, and keeps names and bits per second longest', () => {
    for (let width = 1; width < 140; width++) {
      for (const line of renderWatchTable(view('vms', row(1, WEB1)), { width, colour: false })) {
        expect(line.length, `${String(width)}: ${line}`).to.be.at.most(width);
      }
    }
    const narrow = renderWatchTable(view('vms', row(1, WEB1)), { width: 44, colour: false });
    expect(narrow[1]).to.equal('VM    PORT  SENT bit/s  RECEIVED bit/s');
  });

  it('paints only when told to, and lets no escape sequence of a name through', () => {
    const evil = view('vms', row(1, { ...WEB1, vm: '\x1b[2J\x07' }));
    const plain = renderWatchTable(evil, { width: undefined, colour: false }).join('\n');
    expect(plain).to.contain('?[2J?').and.not.contain('\x1b');
    const [, title] = renderWatchTable(evil, { width: undefined, colour: true });
    expect(title?.startsWith('\x1b[1m') && title.endsWith('\x1b[0m')).to.equal(true);
  });

  it('names bridges that were not read', () => {
    const error = fail('OPENFLOW_CLOSED', { path: '/x', what: 'test' });
    const [head] = renderWatchTable(
      { ...view('vms'), losses: [{ bridge: 'br0', error }] },
      { width: undefined, colour: false },
    );
    expect(head).to.match(/NOT READ: br0$/);
  });
});

describe('a frame', () => {
  it('goes up over the one before, writes each line to its end and clears what is below', () => {
    expect(renderFrame(['a', 'b'], 3, undefined)).to.deep.equal({
      text: '\x1b[3A\ra\x1b[K\nb\x1b[K\n\x1b[J',
      lineCount: 2,
    });
    expect(renderFrame(['a'], 0, 24).text).to.equal('a\x1b[K\n\x1b[J');
  });

  it('fits in the terminal, and says what it leaves out', () => {
    const lines = Array.from({ length: 50 }, (_, n) => String(n));
    const { text, lineCount } = renderFrame(lines, 0, 10);
    expect(lineCount).to.equal(9);
    expect(text).to.contain('… 42 more lines');
    expect(renderFrame(lines, 0, 51).lineCount).to.equal(50);
  });
});

function row(n: number, owner?: NicIdentity): PortRow {
  return { ...switchPort(n, owner), ...MEASURED };
}

function view(name: ViewName, ...rows: PortRow[]): View {
  return toView(name, {
    at: new Date('2026-11-22T16:45:52Z'),
    bridges: ['br0'],
    rows,
    pairs: [],
    losses: [],
    states: [],
  });
}
