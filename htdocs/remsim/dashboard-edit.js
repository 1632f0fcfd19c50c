/** Arranging the dashboard: by pointer, by touch and by keys; nothing is saved before the user says so. */

import { COLUMNS, arranged, heightOf, inOrder, stepped, swapped, within } from './dashboard-grid.js';
import { chooseWidget, editLayout, editWidget } from './dashboard-edit-forms.js';
import { askImport, askSave, download, showLayouts } from './dashboard-edit-files.js';
import { EditCell } from './dashboard-edit-cell.js';
import { MOST_WIDGETS, WIDGETS, builtIn, titleOf, usable } from './dashboard-widgets.js';
import { el, fill, setText } from './dom.js';

const MOST_PAST = 100;
const MOST_PAGES = 12;
const ROW = 36;
const EDGE_PX = 60;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Edits what `dashboard` shows, in its place, until `dashboard.edited(…)`. */
export class Editor {
	constructor(dashboard) {
		this.dashboard = dashboard;
		this.board = dashboard.board;
		this.t = dashboard.options.t;
		this.layout = structuredClone(dashboard.current);
		this.name = dashboard.layoutName;
		this.page = Math.min(dashboard.page, this.layout.pages.length - 1);
		this._saved = JSON.stringify(this.layout);
		this._past = [];
		this._cells = new Map();
		this._build();
		this._leaving = event => { if (this.isChanged) event.preventDefault(); };
		window.addEventListener('beforeunload', this._leaving);
		this._key = event => this._undoKey(event);
		this.root.addEventListener('keydown', this._key);
		this.sync();
		this.add.focus();
	}

	_build() {
		const t = this.t, button = (text, click, kind = '') => el(`button${kind}`, { type: 'button', click }, text);
		this.said = el('p.remsim-said', { 'aria-live': 'polite' });
		this.problem = el('p.remsim-problem', { role: 'alert' });
		this.add = button(t('Add widget …'), () => chooseWidget(this._around, t, type => this._add(type)));
		this.undo = button(t('Undo'), () => this._undo());
		this.bar = el('div.remsim-editbar', { role: 'group', 'aria-label': t('Arrange') }, this.add, this.undo,
			button(t('Layout …'), () => editLayout(this._around, t, this.layout, change => this.change({ ...this.layout, ...change }, t('The layout is changed.')))),
			button(t('Layouts …'), () => this._layouts()),
			button(t('Import …'), () => askImport(this._around, t, content => this._check(content), layout => this._take(layout, t('The imported layout is shown. Save keeps it.')))),
			button(t('Export'), () => download(this.layout, this.name)),
			el('span.remsim-editend', {}, button(t('Cancel'), () => this._cancel()), button(t('Save …'), () => this._save(), '.remsim-primary')));
		this.pages = el('div.remsim-boardtabs', { role: 'group', 'aria-label': t('Pages') });
		this.help = el('p.remsim-help');
		this.grid = el('div.remsim-board.remsim-editboard');
		this.empty = el('p.remsim-nothing', { hidden: true }, t('This page is empty. Add a widget.'));
		this.root = el('div.remsim-editor', {}, this.said, this.bar, this.problem, this.pages, this.help, this.empty, this.grid);
		fill(this.dashboard.place, this.root);
	}

	get _around() { return this.dashboard.root; }

	get widgets() { return this.layout.pages[this.page].widgets; }

	get isChanged() { return JSON.stringify(this.layout) !== this._saved; }

	/** Whether there is no room for the grid: widgets stand in their order, and that is what moving changes. */
	get isOrdered() { return this.dashboard.place.dataset.columns !== '12'; }

	resized() {
		const t = this.t;
		this.root.classList.toggle('remsim-ordered', this.isOrdered);
		setText(this.help, this.isOrdered
			? t('Widgets stand one below the other here, as a phone shows them. Drag one by its head, or press its arrows. Sizes are for larger screens.')
			: t('Drag a widget by its head, and its corner to size it. By keys: the arrows move the widget that has the focus, with Shift they size it, Enter opens its settings, Delete removes it.'));
	}

	destroy() {
		window.removeEventListener('beforeunload', this._leaving);
		for (const cell of this._cells.values())
			cell.destroy();
		this._cells.clear();
		this.root.remove();
	}

	/** Take a layout that differs; what was before can be had back. `said` is told to who does not see it. */
	change(layout, said) {
		this._past.push(JSON.stringify([this.page, this.layout]));
		this._past.splice(0, this._past.length - MOST_PAST);
		this.layout = layout;
		this.sync();
		this.say(said);
	}

	/** Other widgets on the page. */
	put(widgets, said) {
		this.change({ ...this.layout, pages: this.layout.pages.map((page, at) => at === this.page ? { ...page, widgets } : page) }, said);
	}

	say(text) {
		setText(this.said, text);
	}

	/** Where a widget is, in words. */
	whereIs(widget) {
		const t = this.t, title = titleOf(widget, t);
		if (this.isOrdered)
			return t('%s: number %s of %s', title, inOrder(this.widgets).findIndex(one => one.id === widget.id) + 1, this.widgets.length);
		return t('%s: column %s, row %s, %s wide, %s high', title, widget.x + 1, widget.y + 1, widget.w, widget.h);
	}

	/** Make the page as the layout says. */
	sync() {
		this.undo.disabled = !this._past.length;
		this.empty.hidden = this.widgets.length > 0;
		this.resized();
		this._showPages();
		const wanted = new Map(this.widgets.map(widget => [widget.id, widget]));
		for (const [id, cell] of this._cells) {
			if (!wanted.has(id) || !cell.isFor(wanted.get(id))) {
				cell.destroy();
				this._cells.delete(id);
			}
		}
		for (const widget of wanted.values()) {
			if (!this._cells.has(widget.id))
				this._cells.set(widget.id, new EditCell(this, widget));
		}
		this.arrange(this.widgets);
	}

	/** Put the cells where these widgets stand; the one with the focus, or under a finger, stays the element it is. */
	arrange(widgets) {
		const order = inOrder(widgets), fixed = order.find(one => this._cells.get(one.id).root.contains(document.activeElement));
		const isBefore = new Set(fixed ? order.slice(0, order.indexOf(fixed)).map(one => one.id) : []);
		for (const widget of order) {
			const { root } = this._cells.get(widget.id);
			this._cells.get(widget.id).place(widget);
			if (widget !== fixed)
				this.grid.insertBefore(root, isBefore.has(widget.id) ? this._cells.get(fixed.id).root : null);
			else if (!root.isConnected)
				this.grid.append(root);
		}
		this.grid.style.setProperty('--remsim-rows', String(heightOf(widgets)));
	}

	_showPages() {
		const t = this.t, { pages } = this.layout;
		const rename = el('input', { type: 'text', maxlength: 80, 'aria-label': t('Title of this page'), placeholder: t('Title of this page'), value: pages[this.page].title, change: () =>
			this.change({ ...this.layout, pages: pages.map((page, at) => at === this.page ? { ...page, title: rename.value.trim() } : page) }, t('The page has another title.')) });
		fill(this.pages, pages.map((page, at) => el('button', { type: 'button', 'aria-pressed': String(at === this.page), click: () => this._turn(at) }, page.title || t('Page %s', at + 1))),
			pages.length < MOST_PAGES ? el('button', { type: 'button', click: () => this._addPage() }, t('Add page')) : null, rename,
			pages.length > 1 ? el('button.remsim-danger', { type: 'button', click: () => this._removePage() }, t('Remove page')) : null);
	}

	_turn(page) {
		this.page = page;
		this.sync();
		this.pages.children[page].focus();
	}

	_addPage() {
		this._past.push(JSON.stringify([this.page, this.layout]));
		this.layout = { ...this.layout, pages: [...this.layout.pages, { title: '', widgets: [] }] };
		this._turn(this.layout.pages.length - 1);
		this.say(this.t('A page is added.'));
	}

	_removePage() {
		const pages = this.layout.pages.filter((_, at) => at !== this.page), before = this.page;
		this._past.push(JSON.stringify([this.page, this.layout]));
		this.page = Math.max(0, before - 1);
		this.layout = { ...this.layout, pages };
		this._turn(this.page);
		this.say(this.t('The page is removed. Undo brings it back.'));
	}

	_add(type) {
		const t = this.t, used = new Set(this.layout.pages.flatMap(page => page.widgets.map(one => one.id)));
		if (used.size >= MOST_WIDGETS) {
			setText(this.problem, t('A layout has 100 widgets at most.'));
			return;
		}
		let count = 1;
		while (used.has(`${type}-${count}`))
			count += 1;
		const { w, h, settings } = WIDGETS[type];
		const widget = { id: `${type}-${count}`, type, x: 0, y: heightOf(this.widgets), w, h, settings: settings.includes('measure') ? { measure: 'rsrp' } : {} };
		const place = this._freePlace(widget);
		this.put(arranged([...this.widgets, place]), t('%s is added.', titleOf(place, t)));
		const { root } = this._cells.get(widget.id);
		root.scrollIntoView({ block: 'nearest' });
		root.focus();
		if (settings.length && type !== 'cards')
			this.settings(widget.id);
	}

	/** The first place, from the top, where a widget fits beside what is there. */
	_freePlace(widget) {
		for (let y = 0; y < widget.y; y++) {
			for (let x = 0; x <= COLUMNS - widget.w; x++) {
				const place = { ...widget, x, y };
				if (!this.widgets.some(one => one.x < x + widget.w && x < one.x + one.w && one.y < y + widget.h && y < one.y + one.h))
					return place;
			}
		}
		return widget;
	}

	remove(id) {
		const t = this.t, order = inOrder(this.widgets), at = order.findIndex(one => one.id === id), next = order[at + 1] || order[at - 1];
		this.put(arranged(this.widgets.filter(one => one.id !== id)), t('%s is removed. Undo brings it back.', titleOf(order[at], t)));
		(next ? this._cells.get(next.id).root : this.add).focus();
	}

	settings(id) {
		const widget = this.widgets.find(one => one.id === id);
		editWidget(this._around, this.t, widget, this.dashboard.store.list(), changed => {
			const fit = within(changed, WIDGETS[widget.type].least);
			const hadFocus = this._cells.get(id).root.contains(document.activeElement);
			this.put(arranged(this.widgets.map(one => one.id === id ? fit : one), id), this.t('%s is changed.', titleOf(fit, this.t)));
			if (hadFocus || document.activeElement === document.body)
				this._cells.get(id).root.focus();
		});
	}

	/** A key on a widget. */
	pressed(id, event) {
		const arrow = ARROWS[event.key], { least } = WIDGETS[this.widgets.find(one => one.id === id).type];
		if (event.key === 'Delete' || event.key === 'Backspace')
			this.remove(id);
		else if (event.key === 'Enter')
			this.settings(id);
		else if (arrow)
			this.step(id, document.dir === 'rtl' ? [-arrow[0], arrow[1]] : arrow, event.shiftKey, least);
		else
			return;
		event.preventDefault();
	}

	step(id, [dx, dy], size, least) {
		const next = this.isOrdered && !size ? swapped(this.widgets, id, dy || dx) : stepped(this.widgets, id, [dx, dy], size, least);
		if (!next) {
			this.say(this.t('It goes no further.'));
			return;
		}
		const widget = next.find(one => one.id === id);
		this.put(next, '');
		this.say(this.whereIs(widget));
		this._cells.get(id).root.scrollIntoView({ block: 'nearest' });
	}

	/** A drag begins; returns what follows the pointer: {move(event), end(), cancel()}. */
	drag(id, event, isSize) {
		const before = this.widgets, own = before.find(one => one.id === id), { least } = WIDGETS[own.type];
		const startX = event.clientX, startY = event.clientY + scrollY, box = this.grid.getBoundingClientRect(), isRtl = getComputedStyle(this.grid).direction === 'rtl';
		let now = before;
		return {
			move: moved => {
				this._scrollAtEdge(moved.clientY);
				if (this.isOrdered && !isSize)
					now = this._ordered(before, id, moved) || now;
				else {
					const dx = Math.round((moved.clientX - startX) / ((box.width + 12) / COLUMNS)) * (isRtl ? -1 : 1), dy = Math.round((moved.clientY + scrollY - startY) / ROW);
					const wanted = isSize ? { ...own, w: Math.min(own.w + (this.isOrdered ? 0 : dx), COLUMNS - own.x), h: own.h + dy } : { ...own, x: own.x + dx, y: own.y + dy };
					now = arranged(before.map(one => one.id === id ? within(wanted, least) : one), id);
				}
				this.arrange(now);
			},
			end: () => {
				if (JSON.stringify(inOrder(now)) === JSON.stringify(inOrder(before))) {
					this.arrange(before);
					return;
				}
				this.put(now, '');
				this.say(this.whereIs(this.widgets.find(one => one.id === id)));
			},
			cancel: () => this.arrange(before)
		};
	}

	/** In one column: the widget changes places until it stands where the pointer is. */
	_ordered(before, id, { clientX, clientY }) {
		const order = inOrder(before), over = order.find(one => {
			const box = this._cells.get(one.id).root.getBoundingClientRect();
			return one.id !== id && clientY >= box.top && clientY <= box.bottom && clientX >= box.left && clientX <= box.right;
		});
		if (!over)
			return null;
		let now = before;
		for (let steps = order.indexOf(over) - order.findIndex(one => one.id === id); steps && now; steps -= Math.sign(steps))
			now = swapped(now, id, Math.sign(steps));
		return now;
	}

	_scrollAtEdge(y) {
		if (y < EDGE_PX)
			scrollBy(0, -ROW / 2);
		else if (y > innerHeight - EDGE_PX)
			scrollBy(0, ROW / 2);
	}

	_undoKey(event) {
		if ((event.ctrlKey || event.metaKey) && event.key === 'z' && !event.target.closest('input, textarea, dialog')) {
			event.preventDefault();
			this._undo();
		}
	}

	_undo() {
		if (!this._past.length)
			return;
		const hadFocus = document.activeElement === this.undo;
		[this.page, this.layout] = JSON.parse(this._past.pop());
		this.sync();
		this.say(this.t('Undone.'));
		if (hadFocus && this.undo.disabled)
			this.add.focus();
	}

	_cancel() {
		this.destroy();
		this.dashboard.edited();
	}

	_save() {
		const { dashboard } = this;
		askSave(this._around, this.t, this.name, async name => {
			const saved = await dashboard.options.request(`layouts/${name}`, { method: 'PUT', body: this.layout });
			this.destroy();
			dashboard.address(name, this.page);
			dashboard.edited(saved);
		});
	}

	async _check(content) {
		return (await this.dashboard.options.request('layouts/check', { method: 'POST', body: content })).layout;
	}

	/** Another layout is edited from now on. */
	_take(layout, said) {
		this.page = 0;
		this.change(usable(layout), said);
		setText(this.problem, '');
		this.add.focus();
	}

	_layouts() {
		const { request } = this.dashboard.options, t = this.t;
		showLayouts(this._around, t, {
			list: () => request('layouts'),
			remove: name => request(`layouts/${name}`, { method: 'DELETE' }),
			open: async name => {
				try {
					const found = name === 'built-in' ? { layout: builtIn(this.dashboard.place.clientWidth) } : await request(`layouts/${name}`);
					this.name = name;
					this._take(found.layout, t('The layout %s is shown.', name));
				} catch (error) {
					setText(this.problem, error.message);
				}
			}
		});
	}
}
