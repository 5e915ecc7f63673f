//! Circles in a graph, found without recursion: a workflow may have ten thousand states in a row.

/// The strongly connected components, each after all those that it leads to (Tarjan's algorithm).
pub(super) fn components(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    const NEW: usize = usize::MAX;
    let mut order = vec![NEW; edges.len()];
    let mut low = vec![NEW; edges.len()];
    let mut open = vec![false; edges.len()];
    let mut stack = Vec::new();
    let mut components = Vec::new();
    let mut count = 0;
    for root in 0..edges.len() {
        if order[root] != NEW {
            continue;
        }
        // A state, and how many of its edges have been followed.
        let mut path = vec![(root, 0)];
        while let Some((state, followed)) = path.pop() {
            if followed == 0 {
                (order[state], low[state]) = (count, count);
                count += 1;
                stack.push(state);
                open[state] = true;
            }
            if let Some(&next) = edges[state].get(followed) {
                path.push((state, followed + 1));
                if order[next] == NEW {
                    path.push((next, 0));
                } else if open[next] {
                    low[state] = low[state].min(order[next]);
                }
                continue;
            }
            if let Some(&(parent, _)) = path.last() {
                low[parent] = low[parent].min(low[state]);
            }
            if low[state] == order[state] {
                let first = stack.iter().rposition(|other| *other == state);
                let component = stack.split_off(first.unwrap_or(stack.len()));
                component.iter().for_each(|member| open[*member] = false);
                components.push(component);
            }
        }
    }
    components
}

/// A shortest way from `start` back to it within its component; `None` if there is none.
pub(super) fn circle(edges: &[Vec<usize>], start: usize) -> Option<Vec<usize>> {
    let mut came_from = vec![None; edges.len()];
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(state) = queue.pop_front() {
        for &next in &edges[state] {
            if next == start {
                let mut path = vec![start];
                let mut last = state;
                while last != start {
                    path.push(last);
                    last = came_from[last]?;
                }
                path.push(start);
                path.reverse();
                return Some(path);
            }
            if came_from[next].is_none() {
                came_from[next] = Some(state);
                queue.push_back(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_come_after_what_they_lead_to() {
        let edges = vec![vec![1], vec![2, 3], vec![0], vec![4], vec![4], vec![0]];
        let mut found = components(&edges);
        found
            .iter_mut()
            .for_each(|component| component.sort_unstable());
        assert_eq!(found, [vec![4], vec![3], vec![0, 1, 2], vec![5]]);
        assert_eq!(circle(&edges, 0), Some(vec![0, 1, 2, 0]));
        assert_eq!(circle(&edges, 4), Some(vec![4, 4]));
        assert_eq!(circle(&edges, 5), None);
        assert_eq!(circle(&edges, 3), None);
    }

    #[test]
    fn a_long_row_is_no_matter() {
        let edges: Vec<Vec<usize>> = (0..100_000).map(|state| vec![state + 1]).collect();
        let edges = [edges, vec![vec![]]].concat();
        let found = components(&edges);
        assert_eq!((found.len(), &found[0]), (100_001, &vec![100_000]));
    }
}
