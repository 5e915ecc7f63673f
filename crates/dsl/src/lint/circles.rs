//! Circles in a graph: Tarjan's strongly connected components, without recursion.

/// The number of each node's component. Nodes have the same one if each leads to the other; whoever leads to
/// another component has a higher number than that.
///
/// `next` calls its second argument with each node that its first one leads to.
pub(super) fn components(nodes: usize, next: impl Fn(usize, &mut dyn FnMut(usize))) -> Vec<usize> {
    const NEW: usize = usize::MAX;
    let mut component = vec![NEW; nodes];
    let mut order = vec![NEW; nodes];
    let mut low = vec![NEW; nodes];
    let mut found = 0;
    let mut met = 0;
    let mut open = Vec::new();
    let mut targets: Vec<usize> = Vec::new();
    // Each frame is a node and where its targets begin; they are taken off the end of the shared list.
    let mut frames: Vec<(usize, usize)> = Vec::new();
    for root in 0..nodes {
        if order[root] != NEW {
            continue;
        }
        let mut enter = Some(root);
        loop {
            if let Some(node) = enter.take() {
                order[node] = met;
                low[node] = met;
                met += 1;
                open.push(node);
                frames.push((node, targets.len()));
                next(node, &mut |to| targets.push(to));
            }
            let Some(&(node, first)) = frames.last() else {
                break;
            };
            if targets.len() > first {
                let to = targets[targets.len() - 1];
                if order[to] == NEW {
                    // It stays on the list, so that its `low` is looked at on the way back.
                    enter = Some(to);
                    continue;
                }
                targets.pop();
                if component[to] == NEW {
                    low[node] = low[node].min(low[to]);
                }
                continue;
            }
            frames.pop();
            if low[node] == order[node] {
                while let Some(member) = open.pop() {
                    component[member] = found;
                    if member == node {
                        break;
                    }
                }
                found += 1;
            }
        }
    }
    component
}

/// The members of each component, by their numbers.
pub(super) fn members(component: &[usize]) -> Vec<Vec<usize>> {
    let count = component.iter().max().map_or(0, |last| last + 1);
    let mut members = vec![Vec::new(); count];
    for (node, number) in component.iter().enumerate() {
        members[*number].push(node);
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(edges: &[(usize, usize)], nodes: usize) -> Vec<Vec<usize>> {
        let found = components(nodes, |node, visit| {
            for (_, to) in edges.iter().filter(|(from, _)| *from == node) {
                visit(*to);
            }
        });
        for (from, to) in edges {
            assert!(
                found[*from] >= found[*to],
                "{from} leads to {to}: {found:?}"
            );
        }
        members(&found)
    }

    #[test]
    fn circles_are_one_and_the_rest_is_apart() {
        assert_eq!(of(&[], 2), [[0], [1]]);
        assert_eq!(of(&[(0, 1), (1, 0)], 2), [[0, 1]]);
        let eight = [
            (0, 1),
            (1, 2),
            (2, 0),
            (2, 3),
            (3, 4),
            (4, 3),
            (5, 4),
            (4, 6),
        ];
        assert_eq!(of(&eight, 7), [vec![6], vec![3, 4], vec![0, 1, 2], vec![5]]);
        let crossing = [(0, 2), (0, 1), (1, 3), (2, 3), (3, 1), (0, 0)];
        assert_eq!(of(&crossing, 4), [vec![1, 3], vec![2], vec![0]]);
    }

    #[test]
    fn long_chains_do_not_overflow_the_stack() {
        let chain: Vec<usize> = components(200_000, |node, visit| {
            if node + 1 < 200_000 {
                visit(node + 1);
            }
        });
        assert_eq!(chain[0], 199_999);
    }
}
