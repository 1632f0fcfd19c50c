/** A list whose rows are put into another order: by dragging their grips, or with the arrow keys on them. */

import { mark } from './dom.js';

const LEAST_PX = 4;
const EDGE_PX = 80;
const STEP_PX = 12;

/** The names with one of them moved to a place. */
export function moved(names, name, place) {
	const rest = names.filter(one => one !== name);
	rest.splice(Math.max(0, Math.min(place, rest.length)), 0, name);
	return rest;
}

/**
 * Have the children of `list` that carry `data-name` and a `.remsim-grip` ordered. `changed(names, name)` is called when
 * one has come to another place: at once by keys, when it is let go by a pointer. Escape puts it back.
 */
export class Reorder {
	constructor(list, changed) {
		Object.assign(this, { _list: list, _changed: changed, isActive: false });
		list.addEventListener('pointerdown', event => this._begin(event));
		list.addEventListener('keydown', event => this._key(event));
	}

	get names() {
		return this._rows.map(row => row.dataset.name);
	}

	get _rows() {
		return [...this._list.children].filter(row => row.dataset.name && row.querySelector('.remsim-grip'));
	}

	_place(names) {
		const rows = new Map(this._rows.map(row => [row.dataset.name, row])), focused = document.activeElement;
		const after = this._rows.at(-1)?.nextSibling || null;
		names.forEach(name => this._list.insertBefore(rows.get(name), after));
		if (focused !== document.activeElement && focused?.isConnected)
			focused.focus({ preventScroll: true }); // a node that is moved loses it
	}

	_key(event) {
		const grip = event.target.closest('.remsim-grip'), row = grip?.closest('[data-name]');
		if (!row || event.altKey || event.ctrlKey || event.metaKey)
			return;
		const { names } = this, { name } = row.dataset, at = names.indexOf(name);
		const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: names.length - 1 }[event.key];
		if (to === undefined)
			return;
		event.preventDefault();
		if (to < 0 || to >= names.length || to === at)
			return;
		this._place(moved(names, name, to));
		grip.scrollIntoView?.({ block: 'nearest' });
		this._changed(this.names, name);
	}

	_begin(begin) {
		const grip = begin.target.closest('.remsim-grip'), row = grip?.closest('[data-name]');
		if (!row || begin.button)
			return;
		const stop = new AbortController(), options = { signal: stop.signal }, before = this.names;
		let point = begin, frame = null;
		const end = isKept => {
			stop.abort();
			cancelAnimationFrame(frame);
			row.classList.remove('remsim-moving');
			mark(this._list, 'data-dragging', null);
			const wasActive = this.isActive;
			this.isActive = false;
			if (!wasActive)
				return;
			if (!isKept)
				this._place(before);
			else if (this.names.join('\n') !== before.join('\n'))
				this._changed(this.names, row.dataset.name);
		};
		const sort = () => {
			const over = this._rows.find(one => {
				const { top, bottom } = one.getBoundingClientRect();
				return one !== row && point.clientY >= top && point.clientY <= bottom;
			});
			if (!over)
				return;
			const { names } = this, to = names.indexOf(over.dataset.name), { top, height } = over.getBoundingClientRect();
			const isDown = to > names.indexOf(row.dataset.name);
			if (isDown ? point.clientY > top + height - Math.min(height, row.offsetHeight) / 2 : point.clientY < top + Math.min(height, row.offsetHeight) / 2)
				this._place(moved(names, row.dataset.name, to));
		};
		const scroll = () => { // at the edges of the window: its place may be out of sight
			const by = point.clientY < EDGE_PX ? -STEP_PX : point.clientY > innerHeight - EDGE_PX ? STEP_PX : 0;
			if (by) {
				scrollBy(0, by);
				sort();
			}
			frame = requestAnimationFrame(scroll);
		};
		document.addEventListener('pointermove', event => {
			if (event.pointerId !== begin.pointerId || (!this.isActive && Math.abs(event.clientY - begin.clientY) < LEAST_PX))
				return;
			event.preventDefault();
			point = event;
			if (!this.isActive) {
				this.isActive = true;
				row.classList.add('remsim-moving');
				mark(this._list, 'data-dragging', 'true');
				scroll();
			}
			getSelection()?.removeAllRanges();
			sort();
		}, options);
		document.addEventListener('pointerup', event => { if (event.pointerId === begin.pointerId) end(true); }, options);
		document.addEventListener('pointercancel', () => end(false), options);
		document.addEventListener('keydown', key => {
			if (key.key === 'Escape') {
				key.stopPropagation();
				end(false);
			}
		}, { ...options, capture: true });
	}
}
