import React from 'react';
import type { IWaiting } from '../../protocol/waiting';
import type { WaitingList } from '../../state/waitingList';
import { Note } from '../../widgets/words';

/** The number of waiting requests, if there are any. */
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

/** The order of waiting requests: those of one notebook first, each group oldest first. */
function ownFirst<T extends IWaiting>(
  entries: readonly T[],
  path: string | null
): readonly T[] {
  return [
    ...entries.filter(entry => entry.notebook === path),
    ...entries.filter(entry => entry.notebook !== path)
  ];
}

/** A card for each waiting request, those of the notebook shown first. */
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
  /** The content and context of a card. */
  export interface ICard<T extends IWaiting> {
    entry: T;
    isElsewhere: boolean;
    isFirst: boolean;
  }

  /** The properties of the component. */
  export interface IProps<T extends IWaiting> {
    store: WaitingList<T>;
    path: string | null;
    /** Shown if more wait than there are cards. */
    more: string;
    draw: (card: ICard<T>) => React.JSX.Element;
  }
}
