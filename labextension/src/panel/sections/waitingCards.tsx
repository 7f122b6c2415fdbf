import React from 'react';
import type { IWaiting } from '../../protocol/waiting';
import type { WaitingList } from '../../state/waitingList';
import { Note } from '../../widgets/words';

/** The number of waiting requests beside the title of a section, such as `3` or `50+`; nothing if there are none. */
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

/** Return the waiting requests with those of the notebook at `path` first; otherwise their order stays. */
function ownFirst<T extends IWaiting>(
  entries: readonly T[],
  path: string | null
): readonly T[] {
  return [
    ...entries.filter(entry => entry.notebook === path),
    ...entries.filter(entry => entry.notebook !== path)
  ];
}

/** A list with a card for each waiting request, first the requests of the notebook that the panel shows. */
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

/** A namespace for the types that belong to `WaitingCards`. */
export namespace WaitingCards {
  /** What the function `draw` gets to draw one card. */
  export interface ICard<T extends IWaiting> {
    entry: T;
    /** Whether the request belongs to a notebook other than the one that the panel shows. */
    isElsewhere: boolean;
    isFirst: boolean;
  }

  /** The properties of the component `WaitingCards`. */
  export interface IProps<T extends IWaiting> {
    store: WaitingList<T>;
    path: string | null;
    /** The sentence below the list if more requests wait than were loaded. */
    more: string;
    draw: (card: ICard<T>) => React.JSX.Element;
  }
}
