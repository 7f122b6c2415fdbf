import { Widget } from '@lumino/widgets';

/**
 * Show a widget in a modal `dialog` element until the returned function is called, or the user closes it.
 *
 * The browser paints it in its top layer, above the whole page, and makes everything else inert: what a
 * notebook's output draws cannot cover it, lie under its buttons or catch its clicks or keys.
 *
 * @param title - The id of the element that labels the dialog, and gets the focus.
 * @param onClosed - Called once, when the dialog is closed in any way.
 */
export function showInTopLayer(
  content: Widget & { readonly renderPromise?: Promise<void> },
  title: string,
  onClosed: () => void
): () => void {
  const dialog = document.createElement('dialog');
  dialog.className = 'jp-ThemedContainer aumos-Decision';
  dialog.setAttribute('aria-labelledby', title);
  dialog.addEventListener('close', () => {
    content.dispose();
    dialog.remove();
    onClosed();
  });
  document.body.append(dialog);
  dialog.showModal();
  Widget.attach(content, dialog);
  void content.renderPromise?.then(() =>
    // To the title and to no button: a repeated key must decide nothing.
    dialog.querySelector<HTMLElement>('.aumos-Decision-title')?.focus()
  );
  return () => dialog.close();
}
