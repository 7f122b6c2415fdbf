import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { ICell } from '../protocol/waiting';
import { Button } from './button';
import { Navigation } from './navigation';

/**
 * A link to the cell that a request came from, with the cell's prompt (`In [3]`) as its text; nothing if the request
 * came from no cell.
 */
export function CellLink(props: {
  path: string;
  cell: ICell;
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { path, cell, trans } = props;
  const navigation = React.useContext(Navigation);
  if (cell.id === null && cell.count === null) {
    return null;
  }
  const name = cell.count === null ? trans.__('cell') : `In [${cell.count}]`;
  if (navigation === null || cell.id === null) {
    return <span>{name}</span>;
  }
  return (
    <Button
      kind="link"
      title={trans.__('Go to the cell')}
      onClick={() => void navigation.goTo(path, cell)}
    >
      {name}
    </Button>
  );
}
