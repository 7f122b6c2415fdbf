import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { AuditPages } from './auditPages';
import { oneLine } from '../words/labels';
import { formatUsd, shortUsd } from '../words/money';
import { useNotation } from '../widgets/notation';
import type { IAuditRecord } from '../protocol/audit';
import type { IGovernanceConfig } from '../protocol/state';
import {
  eventWord,
  outcomeOf,
  requesterOf,
  shortOutcomeOf,
  subjectOf
} from './recordWords';
import { verdictOf } from '../words/verdicts';

/** The height of a row in pixels, equal to that in the style sheet. */
const ROW_HEIGHT = 26;
/** How many rows are drawn above and below the visible ones. */
const MARGIN = 8;
/** How many row elements are reused while scrolling; a multiple of it if more rows are visible. */
const SLOTS = 64;
/** The most rows that are shown: browsers limit the height of an element. */
const MAX_ROWS = 600_000;

/**
 * A table of audit records of any length: only the rows in view are elements of the page.
 *
 * The Tab key stops at it once. Arrow keys, Page Up and Down, Home and End move in it; Enter opens a record.
 */
export function AuditTable(props: AuditTable.IProps): React.JSX.Element {
  const { pages, selected, trans } = props;
  const grid = React.useRef<HTMLDivElement>(null);
  const [view, setView] = React.useState({ top: 0, height: 400 });
  const [active, setActive] = React.useState(0);
  const id = React.useId();
  const total = Math.min(pages.length ?? 0, MAX_ROWS);
  const first = Math.max(0, Math.floor(view.top / ROW_HEIGHT) - MARGIN);
  const last = Math.min(
    total - 1,
    Math.ceil((view.top + view.height) / ROW_HEIGHT) + MARGIN
  );

  React.useEffect(() => {
    pages.want(first, Math.max(first, last));
  }, [pages, first, last]);

  React.useEffect(() => {
    const node = grid.current;
    if (!node) {
      return;
    }
    let frame = 0;
    const readScroll = (): void => {
      frame = 0;
      setView(({ height }) => ({ top: node.scrollTop, height }));
    };
    // Not in the next frame: during a change of theme, the height can be 0 for a moment then.
    const measure = (): void =>
      setView({ top: node.scrollTop, height: node.clientHeight });
    // A mouse wheel fires several scroll events in one frame; one reading is enough.
    const later = (): void => {
      frame ||= requestAnimationFrame(readScroll);
    };
    const observer = new ResizeObserver(measure);
    observer.observe(node);
    node.addEventListener('scroll', later, { passive: true });
    measure();
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
      node.removeEventListener('scroll', later);
    };
  }, []);

  const { onTop } = props;
  const isAtTop = view.top < ROW_HEIGHT;
  React.useEffect(() => onTop(isAtTop), [onTop, isAtTop]);

  // For a row that is not loaded yet, the record that is open stays open.
  const select = (record: IAuditRecord | null): void => {
    if (record !== null) {
      props.onSelect(record);
    }
  };

  const go = (index: number): void => {
    const node = grid.current;
    const to = Math.max(0, Math.min(total - 1, index));
    setActive(to);
    if (!node) {
      return;
    }
    // The column titles cover the first visible row.
    const top = to * ROW_HEIGHT;
    if (top < node.scrollTop) {
      node.scrollTop = top;
    } else if (top + 2 * ROW_HEIGHT > node.scrollTop + node.clientHeight) {
      node.scrollTop = top + 2 * ROW_HEIGHT - node.clientHeight;
    }
  };

  const onKey = (event: React.KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(view.height / ROW_HEIGHT) - 2);
    const steps: Partial<Record<string, number>> = {
      ArrowUp: active - 1,
      ArrowDown: active + 1,
      PageUp: active - page,
      PageDown: active + page,
      Home: 0,
      End: total - 1
    };
    const to = steps[event.key];
    const isEnter = event.key === 'Enter' || event.key === ' ';
    if (event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    if (to !== undefined) {
      go(to);
    } else if (isEnter) {
      select(pages.record(active));
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  const slots = SLOTS * Math.ceil((last - first + 1) / SLOTS);
  const rows: React.JSX.Element[] = [];
  for (let index = first; index <= last; index += 1) {
    const record = pages.record(index);
    rows.push(
      <AuditRow
        // The elements of a row that leaves the view are reused for a row that enters it.
        key={index % slots}
        id={`${id}-${index}`}
        index={index}
        record={record}
        isActive={index === active}
        isSelected={record !== null && record.record_id === selected}
        today={props.today}
        config={props.config}
        trans={trans}
        onPress={(pressed, which) => {
          setActive(which);
          select(pressed);
        }}
      />
    );
  }
  return (
    <div
      ref={grid}
      className="aumos-AuditTable"
      role="grid"
      aria-label={trans.__('Audit records, newest first')}
      aria-rowcount={pages.length === null ? -1 : total + 1}
      aria-colcount={8}
      aria-busy={pages.isReading}
      aria-activedescendant={
        active >= first && active <= last ? `${id}-${active}` : undefined
      }
      tabIndex={0}
      data-lead=""
      onKeyDown={onKey}
    >
      <div role="rowgroup" className="aumos-AuditTable-head">
        <div role="row" className="aumos-AuditTable-row" aria-rowindex={1}>
          {[
            trans.__('Time'),
            trans.__('Event'),
            trans.__('Outcome'),
            trans.__('Tool'),
            trans.__('Requested by'),
            trans.__('Amount'),
            trans.__('Spent'),
            trans.__('Reason')
          ].map(name => (
            <span key={name} role="columnheader">
              {name}
            </span>
          ))}
        </div>
      </div>
      <div
        role="rowgroup"
        className="aumos-AuditTable-body"
        style={{ height: `${total * ROW_HEIGHT}px` }}
      >
        {rows}
      </div>
    </div>
  );
}

/** A namespace for `AuditTable` statics. */
export namespace AuditTable {
  /** The properties of the component. */
  export interface IProps {
    pages: AuditPages;
    /** The id of the record that is open in detail; null for none. */
    selected: string | null;
    /** Any time of the current day, in milliseconds: records of this day are shown without their date. */
    today: number;
    /** The configuration, which names the user; null until it is loaded. */
    config: IGovernanceConfig | null;
    trans: TranslationBundle;
    /** Called when a record is to be opened in detail. */
    onSelect: (record: IAuditRecord) => void;
    /** Called when the top of the list enters or leaves the view. */
    onTop: (isAtTop: boolean) => void;
  }
}

interface IRowProps {
  id: string;
  index: number;
  record: IAuditRecord | null;
  isActive: boolean;
  isSelected: boolean;
  today: number;
  config: IGovernanceConfig | null;
  trans: TranslationBundle;
  onPress: (record: IAuditRecord | null, index: number) => void;
}

/** The properties that change what a row shows. */
const DRAWN_FROM = [
  'id',
  'record',
  'isActive',
  'isSelected',
  'today',
  'config',
  'trans'
] as const;

/** A row that is rendered again only when a value in {@link DRAWN_FROM} changes; its callback may differ. */
const AuditRow = React.memo(Row, (before, after) =>
  DRAWN_FROM.every(name => before[name] === after[name])
);

function Row(props: IRowProps): React.JSX.Element {
  const { index, record, trans } = props;
  const notation = useNotation();
  return (
    <div
      id={props.id}
      role="row"
      className="aumos-AuditTable-row"
      aria-rowindex={index + 2}
      aria-selected={props.isSelected}
      data-active={props.isActive || undefined}
      style={{ transform: `translateY(${index * ROW_HEIGHT}px)` }}
      onClick={() => props.onPress(record, index)}
    >
      {record === null ? (
        <span role="gridcell" aria-colspan={8} className="aumos-AuditTable-gap">
          …
        </span>
      ) : (
        <>
          <span role="gridcell">{notation.time(record.at, props.today)}</span>
          <Cell text={eventWord(record.event, trans)} />
          <span
            role="gridcell"
            className="aumos-Outcome"
            data-outcome={verdictOf(record)}
            title={outcomeOf(record, trans)}
          >
            <span className="aumos-OneLine">
              {shortOutcomeOf(record, trans)}
            </span>
          </span>
          <Cell text={subjectOf(record)} />
          <Cell text={requesterOf(record, props.config, trans)} />
          <Amount usd={record.amount} />
          <Amount usd={record.spent_delta} />
          <Cell text={record.reasons.join(' ')} />
        </>
      )}
    </div>
  );
}

function Cell(props: { text: string }): React.JSX.Element {
  const line = oneLine(props.text);
  return (
    <span role="gridcell" title={line || undefined}>
      <bdi>{line}</bdi>
    </span>
  );
}

/** An amount, rounded if it is long, with the exact one as its title; empty if it is zero. */
function Amount(props: { usd: string }): React.JSX.Element {
  return (
    <span
      role="gridcell"
      className="aumos-AuditTable-amount"
      title={props.usd === '0' ? undefined : formatUsd(props.usd)}
    >
      {props.usd === '0' ? '' : shortUsd(props.usd)}
    </span>
  );
}
