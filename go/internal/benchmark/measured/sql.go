package measured

import (
	"database/sql"
	"fmt"

	"github.com/mattermost/mattermost/server/public/shared/driver"
)

// query makes rows of the kind a plugin keeps: two numbers, two texts, a truth.
const query = "SELECT n, n * 3, 'user' || n, md5(n::text), n & 1 = 0 FROM generate_series(1, $1::int) AS n"

// open returns the server's database, as the author of a plugin in Go gets it.
func (p *Plugin) open() *sql.DB { return sql.OpenDB(driver.NewConnector(p.Driver, true)) }

func selectRows(db *sql.DB, count int) error {
	rows, err := db.Query(query, count)
	if err != nil {
		return err
	}
	defer rows.Close()
	seen := 0
	for rows.Next() {
		var number, triple int64
		var user, digest string
		var even bool
		if err := rows.Scan(&number, &triple, &user, &digest, &even); err != nil {
			return err
		}
		seen++
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if seen != count {
		return fmt.Errorf("asked for %d rows and got %d", count, seen)
	}
	return nil
}
