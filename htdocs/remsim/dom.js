/** Elements from data: text only ever becomes text nodes. */

let dress = () => {};

/** Have `dresser(node)` look at every element made from now on: a page around these modules gives them its own classes. */
export function dressWith(dresser) {
	dress = dresser;
}

/**
 * Make an element. `attributes` whose value is a function become listeners; false, null and undefined are left out.
 */
export function el(tag, attributes = {}, ...children) {
	const [name, ...classes] = tag.split('.');
	const node = document.createElement(name || 'div');
	if (classes.length)
		node.className = classes.join(' ');
	for (const [key, value] of Object.entries(attributes)) {
		if (typeof value === 'function')
			node.addEventListener(key, value);
		else if (value === true)
			node.setAttribute(key, '');
		else if (value !== false && value !== null && value !== undefined)
			node.setAttribute(key, String(value));
	}
	append(node, children);
	dress(node);
	return node;
}

/** Add children: nodes, texts, arrays of them; null and false are left out. */
export function append(node, children) {
	for (const child of children.flat(3)) {
		if (child instanceof Node)
			node.appendChild(child);
		else if (child !== null && child !== undefined && child !== false)
			node.appendChild(document.createTextNode(String(child)));
	}
}

/** Replace all children. */
export function fill(node, ...children) {
	node.replaceChildren();
	append(node, children);
	return node;
}

/** Change a text only when it is another one: screen readers and layout stay quiet. */
export function setText(node, text) {
	const wanted = String(text);
	if (node.textContent !== wanted)
		node.textContent = wanted;
}

const SVG = 'http://www.w3.org/2000/svg';

/** Make an SVG element. */
export function svg(tag, attributes = {}, ...children) {
	const node = document.createElementNS(SVG, tag);
	for (const [key, value] of Object.entries(attributes)) {
		if (value !== null && value !== undefined && value !== false)
			node.setAttribute(key, String(value));
	}
	append(node, children);
	return node;
}

/** Set an attribute to a value, or take it away for false and null. */
export function mark(node, attribute, value) {
	if (value)
		node.setAttribute(attribute, value);
	else
		node.removeAttribute(attribute);
}
