/** A widget while it is arranged: its content looked at only, a head to drag it by, a corner to size it. */

import { place } from './dashboard-page.js';
import { titleOf } from './dashboard-widgets.js';
import { el, setText } from './dom.js';

export class EditCell {
	constructor(editor, widget) {
		const { t, board } = editor, { id } = widget, title = titleOf(widget, t);
		this._editor = editor;
		this._made = JSON.stringify([widget.type, widget.settings]);
		this.content = el('div.remsim-editcontent', { inert: true });
		this.name = el('span.remsim-editname', {}, title);
		this.size = el('span.remsim-editsize', { 'aria-hidden': 'true' });
		const corner = el('span.remsim-corner', { 'aria-hidden': 'true', pointerdown: event => this._drag(event, id, true) });
		const step = (text, label, by) => el('button.remsim-orderly', { type: 'button', 'aria-label': label, click: event => { editor.step(id, [0, by], false); event.target.focus(); } }, text);
		const head = el('div.remsim-edithead', {}, this.name, this.size, step('↑', t('%s further up', title), -1), step('↓', t('%s further down', title), 1),
			el('button', { type: 'button', 'aria-label': t('Settings: %s', title), title: t('Settings'), click: () => editor.settings(id) }, '⚙'),
			el('button', { type: 'button', 'aria-label': t('Remove %s', title), title: t('Remove'), click: () => editor.remove(id) }, '✕'));
		this.root = el(`div.remsim-cell.remsim-editcell.remsim-cell-${widget.type}`, {
			tabindex: '0', role: 'group', 'aria-roledescription': t('widget'),
			keydown: event => { if (event.target === this.root) editor.pressed(id, event); },
			pointerdown: event => this._drag(event, id, false)
		}, head, this.content, corner);
		board.make(widget, title).then(made => {
			if (this._isGone) {
				made.destroy?.();
				return;
			}
			this.made = made;
			this.content.append(made.root);
			board.join(made);
		});
	}

	/** Whether it shows this widget's settings. */
	isFor(widget) {
		return this._made === JSON.stringify([widget.type, widget.settings]);
	}

	place(widget) {
		place(this.root, widget);
		setText(this.size, `${widget.w} × ${widget.h}`);
		this.root.setAttribute('aria-label', this._editor.whereIs(widget));
	}

	/** Follow the pointer. A finger drags by the head only, else the page could not be scrolled. */
	_drag(event, id, isSize) {
		const isHead = event.target.closest('.remsim-edithead, .remsim-corner');
		if (event.button || event.target.closest('button') || (event.pointerType === 'touch' && !isHead))
			return;
		event.stopPropagation();
		event.preventDefault();
		this.root.focus({ preventScroll: true });
		const drag = this._editor.drag(id, event, isSize), pointer = event.pointerId;
		const stop = new AbortController(), options = { signal: stop.signal };
		const end = how => {
			stop.abort();
			this.root.classList.remove('remsim-dragged');
			drag[how]();
		};
		this.root.classList.add('remsim-dragged');
		this.root.setPointerCapture(pointer);
		this.root.addEventListener('pointermove', moved => { if (moved.pointerId === pointer) drag.move(moved); }, options);
		this.root.addEventListener('pointerup', () => end('end'), options);
		this.root.addEventListener('pointercancel', () => end('cancel'), options);
		document.addEventListener('keydown', key => {
			if (key.key === 'Escape') {
				key.stopPropagation();
				end('cancel');
			}
		}, { ...options, capture: true });
	}

	destroy() {
		this._isGone = true;
		if (this.made)
			this._editor.board.leave(this.made);
		this.root.remove();
	}
}
