import { expect } from 'chai';
import { MetricFamily, renderMetrics } from '../../../src/output/prometheus.ts';

function sentBytes() {
  return new MetricFamily({
    name: 'sent_bytes_total',
    type: 'counter',
    help: 'Bytes.\nSent, "with" a \\.',
    labels: ['vm', 'network'],
  });
}

describe('Prometheus text', () => {
  it('has head and series, labels in their order, and counters with all their digits', () => {
    const family = sentBytes();
    family.set({ network: 'web', vm: 'a' }, 18_446_744_073_709_551_614n);
    family.set({ vm: 'b' }, 0n);
    expect(renderMetrics([family], 'prometheus')).to.equal(
      '# HELP sent_bytes_total Bytes.\\nSent, "with" a \\\\.\n# TYPE sent_bytes_total counter\n' +
        'sent_bytes_total{vm="a",network="web"} 18446744073709551614\nsent_bytes_total{vm="b"} 0\n',
    );
  });

  it('escapes what labels must not have as it is', () => {
    const family = sentBytes();
    family.set({ vm: 'a"b\\n\nc{},=é😀' }, 1n);
    expect(renderMetrics([family], 'prometheus')).to.include('{vm="a\\"b\\\\n\\nc{},=é😀"} 1\n');
  });

  it('has no series that is not known, and no head without a series', () => {
    const family = sentBytes();
    const series = family.series({ vm: 'a' });
    expect(renderMetrics([family], 'prometheus')).to.equal('');
    series.value = 5n;
    expect(renderMetrics([family], 'prometheus')).to.match(/^# HELP [^]*\} 5\n$/);
    series.value = undefined;
    expect(renderMetrics([family], 'prometheus')).to.equal('');
  });

  it('has one series for the same labels, and none once it is removed', () => {
    const family = sentBytes();
    const series = family.series({ vm: 'a', network: '' });
    expect(family.series({ network: undefined, vm: 'a' })).to.equal(series);
    family.set({ vm: 'a' }, 5n);
    expect(series.value).to.equal(5n);
    family.remove(series);
    expect(renderMetrics([family], 'prometheus')).to.equal('');
  });

  it('writes numbers as they are read', () => {
    const family = new MetricFamily({ name: 'x', type: 'gauge', help: 'X.', labels: ['n'] });
    [0.001, 1e21, -5, Infinity, -Infinity, NaN].forEach((value, index) => {
      family.set({ n: String(index) }, value);
    });
    const values = renderMetrics([family], 'prometheus').matchAll(/\} (.*)$/gm);
    expect([...values].map(([, value]) => value)).to.deep.equal([
      '0.001',
      '1e+21',
      '-5',
      '+Inf',
      '-Inf',
      'NaN',
    ]);
  });

  it('names a counter without its ending in the head of OpenMetrics, and ends with EOF', () => {
    const family = sentBytes();
    family.set({}, 1n);
    expect(renderMetrics([family], 'openmetrics')).to.equal(
      '# HELP sent_bytes Bytes.\\nSent, \\"with\\" a \\\\.\n# TYPE sent_bytes counter\nsent_bytes_total 1\n# EOF\n',
    );
  });
});
