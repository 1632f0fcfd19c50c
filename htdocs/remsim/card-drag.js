/** Dragging a card to where it shall go. Fingers drag by the grip only, else the page could not be scrolled. */

import { el, mark } from './dom.js';

const LEAST_PX = 6;
const EDGE_PX = 80;
const STEP_PX = 12;

/**
 * Have `node` dragged to one of the elements with `data-drop` below `around`. `canDrop(key)` says whether one takes it,
 * `drop(key)` is called when it was let go there. `grip`: the part of it that a finger takes.
 */
export function makeDraggable(node, { around, grip, canDrop, drop }) {
	node.addEventListener('pointerdown', event => {
		if (event.button || event.target.closest('button, a, select, input, summary') || (event.pointerType === 'touch' && !grip.contains(event.target)))
			return;
		if (event.pointerType === 'touch')
			event.preventDefault();
		follow(event);
	});
	node.addEventListener('dragstart', event => event.preventDefault());

	function follow(begin) {
		const stop = new AbortController(), options = { signal: stop.signal }, targets = [...around.querySelectorAll('[data-drop]')].filter(one => canDrop(one.dataset.drop));
		let ghost = null, over = null, point = null, frame = null;
		const end = isDropped => {
			const key = over?.dataset.drop;
			stop.abort();
			cancelAnimationFrame(frame);
			ghost?.remove();
			targets.forEach(target => { target.classList.remove('remsim-drop-here', 'remsim-drop-over'); });
			node.classList.remove('remsim-dragged');
			mark(around, 'data-dragging', null);
			if (isDropped && key)
				drop(key);
		};
		const lift = () => {
			const box = node.getBoundingClientRect();
			ghost = el('div.remsim-drag-ghost', { 'aria-hidden': 'true' }, node.dataset.label || node.textContent);
			ghost.style.width = `${box.width}px`;
			around.append(ghost);
			node.classList.add('remsim-dragged');
			mark(around, 'data-dragging', 'true');
			targets.forEach(target => { target.classList.add('remsim-drop-here'); });
		};
		const aim = () => {
			const found = document.elementFromPoint(point.clientX, point.clientY)?.closest('[data-drop]'), now = targets.includes(found) ? found : null;
			if (now === over)
				return;
			over?.classList.remove('remsim-drop-over');
			now?.classList.add('remsim-drop-over');
			over = now;
		};
		const scroll = () => { // at the edges of the window: what it goes to may be out of sight
			const by = point.clientY < EDGE_PX ? -STEP_PX : point.clientY > innerHeight - EDGE_PX ? STEP_PX : 0;
			if (by) {
				scrollBy(0, by);
				aim();
			}
			frame = requestAnimationFrame(scroll);
		};
		document.addEventListener('pointermove', event => {
			if (event.pointerId !== begin.pointerId)
				return;
			if (!ghost && Math.hypot(event.clientX - begin.clientX, event.clientY - begin.clientY) < LEAST_PX)
				return;
			event.preventDefault();
			point = event;
			if (!ghost) {
				lift();
				scroll();
			}
			getSelection()?.removeAllRanges();
			ghost.style.transform = `translate(${event.clientX + 8}px, ${event.clientY + 8}px)`;
			aim();
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
