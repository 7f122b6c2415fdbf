import React from 'react';
import type { IWaiting } from '../../protocol/waiting';
import type { WaitingList } from '../../state/waitingList';
import { Note } from '../../widgets/words';

/** How many wait, where any do. */
export function WaitingCount(props: {
  store: WaitingList<IWaiting>;
}): React.JSX.Element | null {
  const { entries, hasMore } = props.store;
  return entries.length === 0 ? null : (
    <span className="aumos-Count">
      {entries.length}
      {hasMore && '+'}
    </span>
  );
}

/** The order in which what waits is shown: that of one notebook first, else the oldest. */
function ownFirst<T extends IWaiting>(
  entries: readonly T[],
  path: string | null
): readonly T[] {
  return [
    ...entries.filter(entry => entry.notebook === path),
    ...entries.filter(entry => entry.notebook !== path)
  ];
}

/** A card for each that waits, that of the notebook shown first. */
export function WaitingCards<T extends IWaiting>(
  props: WaitingCards.IProps<T>
): React.JSX.Element {
  const { draw, more, path, store } = props;
  return (
    <>
      {store.entries.length > 0 && (
        <ul className="aumos-Cards">
          {ownFirst(store.entries, path).map((entry, index) => (
            <React.Fragment key={entry.id}>
              {draw({
                entry,
                isElsewhere: entry.notebook !== path,
                isFirst: index === 0
              })}
            </React.Fragment>
          ))}
        </ul>
      )}
      {store.hasMore && <Note>{more}</Note>}
    </>
  );
}

/** A namespace for `WaitingCards` statics. */
export namespace WaitingCards {
  /** What a card is of, and where it stands. */
  export interface ICard<T extends IWaiting> {
    entry: T;
    isElsewhere: boolean;
    isFirst: boolean;
  }

  /** The properties of the component. */
  export interface IProps<T extends IWaiting> {
    store: WaitingList<T>;
    path: string | null;
    /** Said where more wait than are shown. */
    more: string;
    draw: (card: ICard<T>) => React.JSX.Element;
  }
}
