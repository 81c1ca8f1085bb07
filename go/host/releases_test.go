package host

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReleasesAreComparedAsRequiresPythonMeansThem(t *testing.T) {
	for _, test := range []struct {
		clause, release string
		fits            bool
	}{
		{">=3.10", "3.10.0", true},
		{">=3.10", "3.9.18", false},
		{">=3.10.4", "3.10.3", false},
		{"<3.13", "3.12.9", true},
		{"<3.13", "3.13.0", false},
		{"<=3.12", "3.12.1", false},
		{">3.12", "3.12.0", false},
		{"==3.12.*", "3.12.7", true},
		{"==3.12.*", "3.11.7", false},
		{"==3.12", "3.12.0", true},
		{"!=3.11.*", "3.11.2", false},
		{"!=3.11.2", "3.11.3", true},
		{"~=3.11", "3.13.1", true},
		{"~=3.11", "4.0.0", false},
		{"~=3.11.2", "3.12.0", false},
		{"", "3.12.0", true},
	} {
		release, err := parseRelease(test.release)
		require.NoError(t, err)
		require.Equal(t, test.fits, fitsRelease(test.clause, release), "%s and %s", test.clause, test.release)
	}
	require.Equal(t, "Python 3.12", describeReleases("==3.12.*"))
	require.Equal(t, "Python >=3.11,<3.13", describeReleases(">=3.11,<3.13"))
}
