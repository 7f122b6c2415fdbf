import type { IAuditApi } from '../../server/auditApi';
import type { IAuditRecord } from '../../protocol/audit';
import { ReceiptBook } from '../../receipts/receiptBook';
import { sampleRecord } from '../support/waitingFakes';

const PATH = 'a.ipynb';

describe('ReceiptBook', () => {
  let records: IAuditRecord[];
  let requested: number;
  let book: ReceiptBook;
  let next = 0;

  /** Add a record to the notebook's audit record. */
  function happen(changes: Partial<IAuditRecord>): void {
    next += 1;
    const id = String(next).padStart(6, '0');
    records.unshift(
      sampleRecord({
        record_id: id,
        charge_id: id,
        at: `2026-11-22T12:00:00.${id}Z`,
        cell: { id: 'c-1', count: 1 },
        spent_delta: '0',
        ...changes
      })
    );
  }

  beforeEach(() => {
    records = [];
    requested = 0;
    book = new ReceiptBook({
      records: (_: unknown, limit: number, cursor: string | null) => {
        requested += 1;
        const from = Number(cursor ?? 0);
        const end = from + limit;
        return Promise.resolve({
          records: records.slice(from, end),
          cursor: end < records.length ? String(end) : null
        });
      }
    } as unknown as IAuditApi);
  });

  it('adds up what a run of a cell spent', async () => {
    happen({ spent_delta: '0.05' });
    happen({ spent_delta: '0.03' });
    happen({ spent_delta: '0', outcome: 'deny' });
    happen({ spent_delta: '1', cell: { id: 'c-2', count: 2 } });
    happen({ spent_delta: '9', cell: { id: null, count: null } });
    await book.read(PATH);
    expect(book.of(PATH, 'c-1')).toMatchObject({
      spent: 80_000_000n,
      calls: 2,
      denied: 1,
      runs: 1
    });
    expect(book.of(PATH, 'c-2')?.spent).toBe(1_000_000_000n);
    expect(book.of(PATH, 'c-3')).toBeNull();
    expect(book.of('b.ipynb', 'c-1')).toBeNull();
  });

  it('shows the last run, and the sum of all', async () => {
    happen({ spent_delta: '0.05' });
    happen({ spent_delta: '0.07', cell: { id: 'c-1', count: 5 } });
    await book.read(PATH);
    expect(book.of(PATH, 'c-1')).toMatchObject({
      spent: 70_000_000n,
      total: 120_000_000n,
      runs: 2
    });
  });

  it('takes a correction off', async () => {
    happen({ spent_delta: '0.05', charge_id: 'x' });
    happen({ spent_delta: '-0.05', charge_id: 'x' });
    await book.read(PATH);
    expect(book.of(PATH, 'c-1')).toBeNull();
  });

  it('reads only what is new, and counts nothing twice', async () => {
    const heard = vi.fn();
    book.changed.connect(heard);
    happen({ spent_delta: '0.05' });
    await book.read(PATH);
    await book.read(PATH);
    expect(heard).toHaveBeenCalledOnce();
    happen({ spent_delta: '0.01' });
    await book.read(PATH);
    expect(requested).toBe(3);
    expect(book.of(PATH, 'c-1')?.spent).toBe(60_000_000n);
  });

  it('reads on where more happened than one page holds', async () => {
    for (let count = 0; count < 1200; count += 1) {
      happen({ spent_delta: '0.001' });
    }
    await book.read(PATH);
    expect(book.of(PATH, 'c-1')?.spent).toBe(1_200_000_000n);
    expect(book.of(PATH, 'c-1')?.records).toHaveLength(20);
  });

  it('belongs to the session that stands', async () => {
    happen({ event: 'open', chain: 's-1', cell: { id: 'c-0', count: 1 } });
    happen({ chain: 's-1', spent_delta: '0.05' });
    await book.read(PATH);
    expect(book.of(PATH, 'c-1')?.total).toBe(50_000_000n);
    happen({
      event: 'spend',
      chain: 'ledger',
      outcome: 'deny',
      cell: { id: 'c-3', count: 3 }
    });
    happen({ event: 'open', chain: 's-2', cell: { id: 'c-0', count: 2 } });
    await book.read(PATH);
    expect(book.of(PATH, 'c-1')).toBeNull();
    expect(book.of(PATH, 'c-3')).toBeNull();
    happen({
      chain: 's-2',
      spent_delta: '0.01',
      cell: { id: 'c-1', count: 3 }
    });
    await book.read(PATH);
    expect(book.of(PATH, 'c-1')).toMatchObject({ total: 10_000_000n, runs: 1 });
  });

  it('shows a cell that was denied, and none that waits for approval', async () => {
    happen({ outcome: 'deny', code: 'BUDGET_EXCEEDED' });
    happen({
      event: 'hold',
      outcome: null,
      code: 'APPROVAL_REQUIRED',
      cell: { id: 'c-2', count: 2 }
    });
    // Earlier versions recorded waiting requests so.
    happen({
      event: 'hold',
      outcome: 'deny',
      code: 'APPROVAL_REQUIRED',
      cell: { id: 'c-2', count: 2 }
    });
    await book.read(PATH);
    expect(book.of(PATH, 'c-1')).toMatchObject({
      spent: 0n,
      calls: 0,
      denied: 1
    });
    expect(book.of(PATH, 'c-2')).toBeNull();
  });
});
