import { GovernanceApiError } from '../../server/requests';
import type { IAuditApi, IAuditFilters } from '../../server/auditApi';
import { AuditPages } from '../../audit/auditPages';
import type { IAuditRecord } from '../../protocol/audit';
import { unreachable } from '../support/fakes';
import { sampleRecord } from '../support/waitingFakes';

/** A server with records numbered from 0, the newest; a cursor is the number of the next record. */
class FakeRecords {
  count: number;
  newer = 0;
  failure: GovernanceApiError | null = null;
  readonly requested: (string | null)[] = [];
  filters: IAuditFilters | null = null;
  counted = true;

  constructor(count: number) {
    this.count = count;
  }

  readonly api = {
    records: (filters: IAuditFilters, limit: number, cursor: string | null) => {
      this.filters = filters;
      this.requested.push(cursor);
      if (this.failure) {
        return Promise.reject(this.failure);
      }
      const from = cursor === null ? -this.newer : Number(cursor);
      const to = Math.min(from + limit, this.count);
      const records: IAuditRecord[] = [];
      for (let number = from; number < to; number += 1) {
        records.push(sampleRecord({ record_id: `r${number}` }));
      }
      return Promise.resolve({
        records,
        cursor: to < this.count ? String(to) : null
      });
    },
    sums: () =>
      this.counted
        ? Promise.resolve({
            by: 'day',
            sums: [
              { name: '2026-11-21', records: 5, denied: 0, spent: '0' },
              {
                name: '2026-11-22',
                records: this.count + this.newer - 5,
                denied: 0,
                spent: '0'
              }
            ]
          })
        : Promise.reject(unreachable())
  } as unknown as IAuditApi;
}

describe('AuditPages', () => {
  const settled = (): Promise<void> =>
    new Promise(resolve => setTimeout(resolve, 20));

  async function reading(count: number): Promise<[AuditPages, FakeRecords]> {
    const server = new FakeRecords(count);
    const pages = new AuditPages({ api: server.api, pageSize: 10 });
    pages.filter({});
    await settled();
    return [pages, server];
  }

  it('reads the newest, and knows how many there are', async () => {
    const [pages, server] = await reading(1000);
    expect(pages.length).toBe(1000);
    expect(server.requested).toEqual([null]);
    expect(pages.record(0)?.record_id).toBe('r0');
    expect(pages.record(9)?.record_id).toBe('r9');
    expect(pages.record(10)).toBeNull();
  });

  it('reads what is looked at, each page once', async () => {
    const [pages, server] = await reading(1000);
    pages.want(5, 25);
    pages.want(6, 26);
    await settled();
    expect(server.requested).toEqual([null, '10', '20']);
    expect(pages.record(26)?.record_id).toBe('r26');
  });

  it('goes to any place, with few pages in memory', async () => {
    const [pages, server] = await reading(1000);
    pages.want(990, 999);
    await settled();
    expect(server.requested).toHaveLength(100);
    expect(pages.record(999)?.record_id).toBe('r999');
    expect(pages.record(500)).toBeNull();
    expect(pages.record(0)?.record_id).toBe('r0');
    const kept = Array.from({ length: 1000 }, (_, index) =>
      pages.record(index)
    ).filter(record => record !== null);
    expect(kept.length).toBeLessThanOrEqual(100);
  });

  it('goes back at once to where it has been', async () => {
    const [pages, server] = await reading(1000);
    pages.want(990, 999);
    await settled();
    server.requested.length = 0;
    pages.want(500, 509);
    await settled();
    expect(server.requested).toEqual(['500']);
    expect(pages.record(500)?.record_id).toBe('r500');
  });

  it('stops loading pages before a position that left the view', async () => {
    const [pages, server] = await reading(1000);
    pages.want(990, 999);
    pages.want(0, 9);
    await settled();
    expect(server.requested.length).toBeLessThan(5);
  });

  it.each([0, 1, 10, 11, 95])('knows the end of %i records', async count => {
    const [pages] = await reading(count);
    pages.want(0, 1000);
    await settled();
    expect(pages.length).toBe(count);
    expect(pages.record(count)).toBeNull();
  });

  it('grows as it is loaded while the total is unknown', async () => {
    const server = new FakeRecords(35);
    server.counted = false;
    const pages = new AuditPages({ api: server.api, pageSize: 10 });
    pages.filter({});
    await settled();
    expect(pages.length).toBe(11);
    pages.want(0, 60);
    await settled();
    expect(pages.length).toBe(35);
  });

  it('stands still while more is written, until it is read anew', async () => {
    const [pages, server] = await reading(100);
    server.newer = 3;
    pages.want(0, 30);
    await settled();
    expect(pages.record(0)?.record_id).toBe('r0');
    expect(pages.record(10)?.record_id).toBe('r10');
    pages.reload();
    expect(pages.record(0)?.record_id).toBe('r0');
    await settled();
    expect(pages.record(0)?.record_id).toBe('r-3');
    expect(pages.length).toBe(103);
    expect(pages.record(10)).toBeNull();
  });

  it('shows nothing of other filters', async () => {
    const [pages, server] = await reading(100);
    server.count = 7;
    pages.filter({ tool: 'shell' });
    expect(pages.length).toBeNull();
    expect(pages.record(0)).toBeNull();
    await settled();
    expect(server.filters).toEqual({ tool: 'shell' });
    expect(pages.length).toBe(7);
  });

  it('reports what went wrong, and continues on the next request', async () => {
    const [pages, server] = await reading(100);
    server.failure = new GovernanceApiError('HTTP', 'Bad Gateway', 502);
    pages.want(20, 29);
    await settled();
    expect(pages.failure?.message).toBe('Bad Gateway');
    expect(pages.isReading).toBe(false);
    server.failure = null;
    pages.want(20, 30);
    await settled();
    expect(pages.failure).toBeNull();
    expect(pages.record(25)?.record_id).toBe('r25');
  });

  it('ignores a response once disposed', async () => {
    const [pages, server] = await reading(100);
    const changed = vi.fn();
    pages.changed.connect(changed);
    pages.want(0, 50);
    pages.dispose();
    await settled();
    expect(changed).not.toHaveBeenCalled();
    expect(server.requested).toHaveLength(2);
  });
});
